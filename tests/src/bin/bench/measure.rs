//! Times commands and weighs them.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::{Job, Row};

/// Memory hardly differs between runs.
pub(super) const WEIGHINGS: usize = 3;

/// How peak memory is found.
pub(super) enum Scale {
    /// GNU time asks the kernel when the program has ended; it writes the answer to this file.
    Time(PathBuf),
    /// Without it, by looking while the program runs.
    Poll,
}

impl Scale {
    pub(super) fn find(scratch: &Path) -> Self {
        let file = scratch.join("peak");
        let works = Self::time(&file).arg("true").status().is_ok_and(|status| status.success());
        if works && kib(&file).is_some() { Self::Time(file) } else { Self::Poll }
    }

    fn time(file: &Path) -> Command {
        let mut time = Command::new("/usr/bin/time");
        time.args(["--quiet", "--format", "%M", "--output"]).arg(file);
        time
    }

    /// Peak resident memory in KiB.
    fn weigh(&self, job: &Job) -> Result<u64> {
        job.clear()?;
        match self {
            Self::Time(file) => {
                job.complete(job.command_under(Self::time(file)))?;
                kib(file).context("time has not said how much memory was used")
            }
            Self::Poll => poll(job),
        }
    }

    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Time(_) => "peak resident set (ru_maxrss) by /usr/bin/time",
            Self::Poll => {
                "highest VmHWM seen in /proc while it ran, which may miss the end: install the package `time`"
            }
        }
    }
}

fn kib(file: &Path) -> Option<u64> {
    std::fs::read_to_string(file).ok()?.lines().last()?.trim().parse().ok()
}

fn poll(job: &Job) -> Result<u64> {
    let mut child = job.command().spawn()?;
    let status_file = format!("/proc/{}/status", child.id());
    let mut stderr = child.stderr.take().context("standard error is piped")?;
    let complaints = std::thread::spawn(move || {
        let mut text = Vec::new();
        // Only shown where something else went wrong.
        let _ = stderr.read_to_end(&mut text);
        text
    });
    let mut peak = None;
    let status = loop {
        let seen = std::fs::read_to_string(&status_file).unwrap_or_default();
        let seen = seen.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = peak.max(seen.and_then(|seen| seen.trim().trim_end_matches(" kB").parse().ok()));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_micros(200));
    };
    job.check(status, &String::from_utf8_lossy(&complaints.join().unwrap_or_default()))?;
    peak.context("there is neither /usr/bin/time nor /proc/PID/status to tell the memory")
}

/// What was measured of one command.
#[derive(Default)]
pub(super) struct Measured {
    times: Vec<Duration>,
    kib: u64,
}

impl Measured {
    pub(super) fn min(&self) -> Duration {
        self.times.iter().min().copied().unwrap_or_default()
    }

    pub(super) fn median(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort();
        let (low, high) = (times.len().saturating_sub(1) / 2, times.len() / 2);
        let at = |index: usize| times.get(index).copied().unwrap_or_default();
        (at(low) + at(high)) / 2
    }

    pub(super) fn mib(&self) -> f64 {
        Duration::from_secs(self.kib).as_secs_f64() / 1024.0
    }
}

/// Every round runs every command once, so that a slow minute of the machine is everybody's.
pub(super) fn measure(rows: &[Row], runs: usize, scale: &Scale) -> Result<Vec<(Measured, Option<Measured>)>> {
    let measurement = |row: &Row| (Measured::default(), row.oscap.as_ref().map(|_| Measured::default()));
    let mut measured: Vec<_> = rows.iter().map(measurement).collect();
    for round in 0..=runs {
        for (row, (virtscap, oscap)) in rows.iter().zip(&mut measured) {
            let pairs = [(Some(&row.virtscap), Some(virtscap)), (row.oscap.as_ref(), oscap.as_mut())];
            for (job, measured) in pairs.into_iter().filter_map(|(job, measured)| job.zip(measured)) {
                let time = job.time()?;
                // The first round fills the caches.
                if round > 0 {
                    measured.times.push(time);
                }
                if round > 0 && round <= WEIGHINGS {
                    measured.kib = measured.kib.max(scale.weigh(job)?);
                }
            }
        }
    }
    Ok(measured)
}
