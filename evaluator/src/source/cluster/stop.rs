//! The end of a scan before its time: its deadline, or somebody who interrupts it.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Why a scan ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// Somebody interrupted it.
    Interrupted,
    /// It took longer than this.
    Deadline(Duration),
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("the scan was interrupted"),
            Self::Deadline(after) => write!(f, "the scan's deadline was over, after {} s", after.as_secs()),
        }
    }
}

/// What ends a scan before its time. Whoever waits for an answer waits for this too.
#[derive(Debug)]
pub struct Stop {
    deadline: Option<(Instant, Duration)>,
    interrupted: watch::Sender<bool>,
    cut: OnceLock<StopReason>,
}

impl Stop {
    /// The time begins now; none: there is no deadline.
    pub fn new(deadline: Option<Duration>) -> Self {
        // A deadline that the clock cannot express is none.
        let deadline = deadline.and_then(|after| Some((Instant::now().checked_add(after)?, after)));
        Self { deadline, interrupted: watch::Sender::new(false), cut: OnceLock::new() }
    }

    /// Ends the scan: what has not been answered will not be.
    pub fn interrupt(&self) {
        self.interrupted.send_replace(true);
    }

    /// Why the scan has to end; none where it may go on.
    pub fn reason(&self) -> Option<StopReason> {
        if *self.interrupted.borrow() {
            return Some(StopReason::Interrupted);
        }
        self.deadline.filter(|(at, _)| *at <= Instant::now()).map(|(_, after)| StopReason::Deadline(after))
    }

    /// Why something that was asked for was not answered; none where nothing was cut off.
    pub fn cut(&self) -> Option<StopReason> {
        self.cut.get().copied()
    }

    /// Waits for a result, unless the scan ends first.
    pub(super) async fn unless<T>(&self, work: impl Future<Output = T>) -> Result<T, StopReason> {
        let cut = |reason| Err(*self.cut.get_or_init(|| reason));
        if let Some(reason) = self.reason() {
            return cut(reason);
        }
        tokio::select! {
            result = work => Ok(result),
            reason = self.stopped() => cut(reason),
        }
    }

    async fn stopped(&self) -> StopReason {
        let mut interrupted = self.interrupted.subscribe();
        let interrupt = async {
            // The sender lives as long as `self`: there is no other end than an interruption.
            let _ = interrupted.wait_for(|interrupted| *interrupted).await;
        };
        match self.deadline {
            None => {
                interrupt.await;
                StopReason::Interrupted
            }
            Some((at, after)) => tokio::select! {
                () = interrupt => StopReason::Interrupted,
                () = tokio::time::sleep_until(at) => StopReason::Deadline(after),
            },
        }
    }
}
