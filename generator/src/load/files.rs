//! Reading and checking of legs on a node's files.

use std::path::Path;

use super::Loader;
use super::leg::ReadLeg;
use crate::file::{
    AbsentFile, FileModeFile, FirmwareAttributeFile, KernelArgumentFile, LegFile, LinesFile, Text,
};
use crate::model::{
    FileCheck, FileLeg, FileMode, FirmwareAttribute, KernelArgument, Leg, Lines, Named, Place, Running, Scope,
};

impl Loader {
    /// Reads a leg on files; the caller has seen that it is of one kind.
    pub(super) fn files(&mut self, path: &Path, file: &LegFile) -> ReadLeg {
        let mut values = Some(Vec::new());
        let leg = if let Some(mode) = &file.file_mode {
            self.file_mode(path, mode)
        } else if let Some(lines) = &file.lines {
            if let Some(also) = &lines.also {
                values = self.used_value(path, also).map(|id| vec![id]);
            }
            self.lines(path, lines)
        } else if let Some(absent) = &file.absent {
            self.absent(path, absent)
        } else if let Some(argument) = &file.kernel_argument {
            self.kernel_argument(path, argument)
        } else {
            file.firmware_attribute.as_ref().and_then(|attribute| self.firmware_attribute(path, attribute))
        };
        ReadLeg { leg: leg.map(Leg::Files), scope: Some(Scope::Node), resources: Some(Vec::new()), values }
    }

    fn file_mode(&mut self, path: &Path, file: &FileModeFile) -> Option<FileLeg> {
        let proof = self.absolute(path, &file.proof);
        let place = match (&file.folder, &file.file) {
            (Some(folder), None) => {
                self.absolute(path, folder).map(|folder| Place { folder: Named::Exactly(folder), file: None })
            }
            (None, Some(file)) => self.absolute(path, file).and_then(|file| {
                let (folder, name) = file.rsplit_once('/')?;
                let folder = Named::Exactly(if folder.is_empty() { "/" } else { folder }.to_owned());
                Some(Place { folder, file: Some(Named::Exactly(name.to_owned())) })
            }),
            (Some(stray), Some(_)) => {
                self.wrong(path, stray, "either a 'file' or a 'folder' has a mode here, not both");
                None
            }
            (None, None) => {
                self.wrong(path, &file.at_most, "name the 'file' or the 'folder' whose mode this is");
                None
            }
        };
        let octal = |text: &str| u16::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
        let at_most = octal(&file.at_most.value);
        if at_most.is_none() {
            let message = format!("'{}' is no mode; write it in octal digits, \"0755\"", file.at_most.value);
            self.wrong(path, &file.at_most, message);
        }
        let mode = FileMode { place: place?, at_most: at_most?, root_owned: file.root_owned };
        Some(FileLeg::Proven { proof: proof?, check: FileCheck::Mode(mode) })
    }

    fn lines(&mut self, path: &Path, file: &LinesFile) -> Option<FileLeg> {
        let proof = self.absolute(path, &file.proof);
        let folder = self.folder(path, &file.folder, &file.folder_matching, &file.offends);
        let name = self.file_name(path, &file.file, &file.file_matching);
        if name == Some(None) {
            self.wrong(path, &file.offends, "name the 'file' whose lines these are, or 'file_matching'");
        }
        let offends = self.pcre(path, &file.offends);
        let fine = file.fine.as_ref().map(|fine| self.pcre(path, fine));
        let lines = Lines {
            place: Place { folder: folder?, file: name? },
            required: file.required,
            offends: offends?,
            fine: fine.map_or(Some(None), |fine| fine.map(Some))?,
            also: file.also.as_ref().map(|also| also.value.clone()),
        };
        Some(FileLeg::Proven { proof: proof?, check: FileCheck::Lines(lines) })
    }

    fn absent(&mut self, path: &Path, file: &AbsentFile) -> Option<FileLeg> {
        let proof = self.absolute(path, &file.proof);
        let folder = self.folder(path, &file.folder, &file.folder_matching, &file.proof);
        let name = self.file_name(path, &file.file, &file.file_matching);
        let place = Place { folder: folder?, file: name? };
        Some(FileLeg::Proven { proof: proof?, check: FileCheck::Absent(place) })
    }

    fn kernel_argument(&mut self, path: &Path, file: &KernelArgumentFile) -> Option<FileLeg> {
        let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && c != '"');
        for text in file.otherwise.iter().chain([&file.name, &file.value]) {
            if !plain(&text.value) {
                self.wrong(path, text, format!("'{}' cannot stand on the kernel's command line", text.value));
            }
        }
        let running = match &file.running {
            None => None,
            Some(running) => {
                let file = self.absolute(path, &running.file);
                let matches = self.pcre(path, &running.matches);
                Some(Running { file: file?, matches: matches? })
            }
        };
        Some(FileLeg::KernelArgument(KernelArgument {
            name: file.name.value.clone(),
            value: file.value.value.clone(),
            otherwise: file.otherwise.iter().map(|text| text.value.clone()).collect(),
            running,
        }))
    }

    fn firmware_attribute(&mut self, path: &Path, file: &FirmwareAttributeFile) -> Option<FileLeg> {
        let matching = self.pcre(path, &file.matching);
        if file.matching.value.contains(['^', '$']) {
            let message = "'matching' is looked for anywhere in the name; it cannot have '^' or '$'";
            self.wrong(path, &file.matching, message);
        }
        let disabled = self.pcre(path, &file.disabled);
        Some(FileLeg::FirmwareAttribute(FirmwareAttribute {
            matching: matching?,
            disabled: disabled?,
            cpu_flag: self.line(path, &file.cpu_flag),
        }))
    }

    /// The folder, which has to be given in one of two ways.
    fn folder(
        &mut self,
        path: &Path,
        folder: &Option<Text>,
        matching: &Option<Text>,
        near: &Text,
    ) -> Option<Named> {
        match (folder, matching) {
            (Some(folder), None) => self.absolute(path, folder).map(Named::Exactly),
            (None, Some(matching)) => {
                let anchored = matching.value.starts_with("^/") && matching.value.ends_with('$');
                if !anchored {
                    let help = "begin it with ^/ and end it with $, so that the scanner knows where to look";
                    self.wrong_help(path, matching, "this has to match a whole path", help);
                }
                self.pcre(path, matching).map(Named::Matching)
            }
            (Some(stray), Some(_)) => {
                self.wrong(path, stray, "give either 'folder' or 'folder_matching', not both");
                None
            }
            (None, None) => {
                self.wrong(path, near, "name the 'folder', or give 'folder_matching'");
                None
            }
        }
    }

    /// The name of a file, which may be left out; the outer none is a mistake.
    fn file_name(
        &mut self,
        path: &Path,
        file: &Option<Text>,
        matching: &Option<Text>,
    ) -> Option<Option<Named>> {
        match (file, matching) {
            (None, None) => Some(None),
            (Some(file), None) => {
                if file.value.is_empty() || file.value.contains('/') {
                    self.wrong(path, file, "this is the name of a file; its folder stands in 'folder'");
                }
                Some(Some(Named::Exactly(file.value.clone())))
            }
            (None, Some(matching)) => self.pcre(path, matching).map(|p| Some(Named::Matching(p))),
            (Some(stray), Some(_)) => {
                self.wrong(path, stray, "give either 'file' or 'file_matching', not both");
                None
            }
        }
    }

    /// A path from the root, without anything that stands for another one.
    pub(super) fn absolute(&mut self, path: &Path, text: &Text) -> Option<String> {
        let value = &text.value;
        let plain = value.strip_prefix('/').is_some_and(|rest| {
            rest.split('/').all(|part| !matches!(part, "" | "." | ".."))
                && !rest.chars().any(char::is_control)
        });
        if !plain {
            let message = format!("'{value}' is no path from the root, such as /etc/selinux/config");
            self.wrong(path, text, message);
            return None;
        }
        Some(value.clone())
    }

    /// A regular expression that only OVAL reads.
    fn pcre(&mut self, path: &Path, text: &Text) -> Option<String> {
        if text.value.is_empty() {
            self.wrong(path, text, "the regular expression is empty");
            return None;
        }
        match pcre2::bytes::RegexBuilder::new().utf(true).build(&text.value) {
            Ok(_) => Some(text.value.clone()),
            Err(e) => {
                self.wrong(path, text, format!("'{}' is no regular expression: {e}", text.value));
                None
            }
        }
    }
}
