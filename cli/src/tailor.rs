//! `virtscap tailor`, and the reading of tailorings in both forms.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use virtscap_evaluator::content::Content;
use virtscap_evaluator::time;
use virtscap_generator::model::Rule;
use virtscap_generator::tailor::{
    Action, BUNDLE, Catalog, RuleChoice, TailorErrors, Tailored, ValueChoice, from_manifest, from_xccdf,
};
use virtscap_generator::{artifacts, cel_content};
use virtscap_scap::xccdf::Tailoring;

use crate::content::ContentArgs;
use crate::{Outcome, input, output};

/// Tailor a profile: leave rules out, take rules in, set values
///
/// Writes the tailoring as an XCCDF tailoring file, for virtscap scan and oscap, and as a TailoredProfile for the
/// Compliance Operator; or, with --from, converts one into the other. Every entry needs a rationale.
#[derive(Debug, Args)]
pub(crate) struct Tailor {
    /// Profile to start from: its short name or its id; with --from, which of the file's profiles to convert
    #[arg(long, value_name = "NAME", required_unless_present = "from")]
    profile: Option<String>,

    /// Name of the tailored profile; that of a node profile has to end in -node
    #[arg(long, value_name = "NAME", required_unless_present = "from")]
    name: Option<String>,

    /// Rule to leave out, and why
    #[arg(long, value_name = "RULE=WHY", conflicts_with = "from")]
    disable: Vec<String>,

    /// Rule to take in, and why
    #[arg(long, value_name = "RULE=WHY", conflicts_with = "from")]
    enable: Vec<String>,

    /// Value to set; say why with --why or --rationale
    #[arg(long, value_name = "VALUE=TEXT", conflicts_with = "from")]
    set: Vec<String>,

    /// Why a value is set, or a rule enabled or disabled
    #[arg(long, value_name = "NAME=WHY")]
    why: Vec<String>,

    /// The rationale of every entry that has none of its own
    #[arg(long, value_name = "WHY")]
    rationale: Option<String>,

    /// Title of the tailored profile
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,

    /// What the tailored profile is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// Tailoring to convert: an XCCDF tailoring file or a TailoredProfile in YAML
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,

    /// Name of the ProfileBundle, which stands before the names in a TailoredProfile [default: ocp-virt]
    #[arg(long, value_name = "NAME")]
    bundle: Option<String>,

    /// Folder to write both forms to: NAME-tailoring.xml and NAME-tailoredprofile.yaml
    #[arg(long, value_name = "DIR", conflicts_with_all = ["xccdf", "tailored_profile"])]
    out: Option<PathBuf>,

    /// Write the XCCDF tailoring file; - is standard output
    #[arg(long, value_name = "FILE")]
    xccdf: Option<PathBuf>,

    /// Write the TailoredProfile; - is standard output
    #[arg(long, value_name = "FILE")]
    tailored_profile: Option<PathBuf>,

    /// Write the tailoring's CustomRules for the CEL scanner, with the values in them, and a TailoredProfile that has them
    #[arg(long, value_name = "FILE", requires = "benchmark")]
    custom_rules: Option<PathBuf>,

    #[command(flatten)]
    content: ContentArgs,
}

impl Tailor {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let files = [&self.out, &self.xccdf, &self.tailored_profile, &self.custom_rules];
        if files.into_iter().all(Option::is_none) {
            bail!("name what to write: --out, or --xccdf, --tailored-profile and --custom-rules");
        }
        let content = self.content.load()?;
        let catalog = catalog(&content).with_context(|| self.content.href())?;
        let (mut tailored, bundle) = match &self.from {
            Some(file) => self.read(file, &catalog)?,
            None => (self.choices(&catalog)?, None),
        };
        self.fill_in(&mut tailored, &catalog)?;
        tailored.check(&catalog)?;
        let bundle = self.bundle.clone().or(bundle).unwrap_or_else(|| BUNDLE.to_owned());
        // All texts are there before the first file is written.
        for (path, text) in self.files(&tailored, &bundle)? {
            output::write(&path, &text)?;
            if path != Path::new("-") {
                anstream::eprintln!("written: {}", path.display());
            }
        }
        Ok(Outcome::Success)
    }

    /// The files with their texts.
    fn files(&self, tailored: &Tailored, bundle: &str) -> Result<Vec<(PathBuf, String)>> {
        let in_folder =
            |name: &str| self.out.as_ref().map(|folder| folder.join(format!("{}-{name}", tailored.name)));
        let mut files = Vec::new();
        if let Some(path) = self.xccdf.clone().or_else(|| in_folder("tailoring.xml")) {
            let tailoring = tailored.to_xccdf(&time::now().to_string());
            files.push((path, tailoring.write(&self.content.href())));
        }
        if let Some(path) = self.tailored_profile.clone().or_else(|| in_folder("tailoredprofile.yaml")) {
            files.push((path, tailored.to_manifest(bundle)?));
        }
        if let Some(path) = &self.custom_rules {
            files.push((path.clone(), self.custom_rules(tailored)?));
        }
        Ok(files)
    }

    /// The CustomRules. Expressions are not in a data stream, so they are compiled from the rules.
    fn custom_rules(&self, tailored: &Tailored) -> Result<String> {
        let benchmark = self.content.benchmark()?;
        let base = tailored.extends.as_ref().map(virtscap_scap::id::ProfileId::short_name);
        let base = benchmark.profiles.iter().find(|profile| Some(profile.id.as_str()) == base);
        let selected = |rule: &Rule| {
            let choice = tailored.rules.iter().find(|choice| choice.rule.short_name() == rule.id);
            match choice {
                Some(choice) => choice.action == Action::Enable,
                None => base.is_some_and(|base| base.selects(rule)),
            }
        };
        let defaults = cel_content::defaults(&benchmark);
        let value = |id: &str| {
            let choice = tailored.values.iter().find(|choice| choice.id.short_name() == id);
            choice.map_or_else(|| defaults(id), |choice| choice.value.clone())
        };
        let about = (tailored.name.as_str(), tailored.title.as_str(), tailored.description.as_str());
        let manifests = cel_content::of_tailoring(&benchmark, about, &value, &selected)?;
        Ok(artifacts::documents("CustomRules", &manifests)?)
    }

    fn read(&self, file: &Path, catalog: &Catalog<'_>) -> Result<(Tailored, Option<String>)> {
        let named = || file.display().to_string();
        let text = input::text(file).with_context(named)?;
        if is_xml(&text) {
            let tailoring = Tailoring::read(&text).with_context(named)?;
            let tailored = from_xccdf(&tailoring, self.profile.as_deref(), catalog).with_context(named)?;
            return Ok((tailored, None));
        }
        let (tailored, bundle) = from_manifest(&text, catalog).with_context(named)?;
        Ok((tailored, Some(bundle)))
    }

    /// The tailoring of the options.
    fn choices(&self, catalog: &Catalog<'_>) -> Result<Tailored> {
        let mut errors = Vec::new();
        let mut note = |error| errors.push(error);
        let base = catalog.profile(self.profile.as_deref().unwrap_or_default()).map_err(&mut note).ok();
        let mut rules = Vec::new();
        for (action, entries) in [(Action::Enable, &self.enable), (Action::Disable, &self.disable)] {
            for entry in entries {
                let (name, why) = entry.split_once('=').unwrap_or((entry, ""));
                if let Ok(rule) = catalog.rule(name.trim()).map_err(&mut note) {
                    rules.push(RuleChoice { rule: rule.clone(), action, rationale: why.trim().to_owned() });
                }
            }
        }
        let mut values = Vec::new();
        for entry in &self.set {
            let Some((name, value)) = entry.split_once('=') else {
                bail!("--set {entry}: write VALUE=TEXT");
            };
            if let Ok(id) = catalog.value(name.trim()).map_err(&mut note) {
                let (value, rationale) = (value.to_owned(), String::new());
                values.push(ValueChoice { id: id.clone(), value, rationale });
            }
        }
        if !errors.is_empty() {
            return Err(TailorErrors(errors).into());
        }
        let name = self.name.clone().unwrap_or_default();
        let title = base.map_or("", |profile| catalog.title(profile));
        Ok(Tailored {
            title: format!("{title}, tailored as {name}"),
            description: format!("{title}, with rules and values as they were chosen for {name}."),
            name,
            extends: base.cloned(),
            rules,
            values,
        })
    }

    /// What the options say beside the entries themselves.
    fn fill_in(&self, tailored: &mut Tailored, catalog: &Catalog<'_>) -> Result<()> {
        if let Some(name) = &self.name {
            tailored.name.clone_from(name);
        }
        if let Some(title) = &self.title {
            tailored.title = title.trim().to_owned();
        }
        if let Some(description) = &self.description {
            tailored.description = description.trim().to_owned();
        }
        for entry in &self.why {
            let Some((name, why)) = entry.split_once('=') else { bail!("--why {entry}: write NAME=WHY") };
            let rule = catalog.rule(name.trim()).ok();
            let value = catalog.value(name.trim()).ok();
            let of_rules = tailored.rules.iter_mut().filter(|choice| Some(&choice.rule) == rule);
            let of_values = tailored.values.iter_mut().filter(|choice| Some(&choice.id) == value);
            let rationales = of_rules.map(|c| &mut c.rationale).chain(of_values.map(|c| &mut c.rationale));
            let mut found = false;
            for rationale in rationales {
                *rationale = why.trim().to_owned();
                found = true;
            }
            if !found {
                bail!("--why {name}: the tailoring has no such entry");
            }
        }
        if let Some(why) = &self.rationale {
            let of_rules = tailored.rules.iter_mut().map(|choice| &mut choice.rationale);
            let of_values = tailored.values.iter_mut().map(|choice| &mut choice.rationale);
            for rationale in of_rules.chain(of_values).filter(|rationale| rationale.is_empty()) {
                why.trim().clone_into(rationale);
            }
        }
        Ok(())
    }
}

/// What the content has to be tailored.
fn catalog(content: &Content) -> Result<Catalog<'_>> {
    Catalog::of(content.collection()).context("the data stream holds no XCCDF benchmark")
}

/// Which of its two forms a tailoring has.
fn is_xml(text: &str) -> bool {
    text.trim_start().starts_with('<')
}

/// Reads a tailoring in either form, to scan with it.
pub(crate) fn read_tailoring(file: &Path, content: &Content) -> Result<Tailoring> {
    let named = || file.display().to_string();
    let text = input::text(file).with_context(named)?;
    if is_xml(&text) {
        return Tailoring::read(&text).with_context(named);
    }
    let catalog = catalog(content)?;
    let checked =
        from_manifest(&text, &catalog).and_then(|(tailored, _)| tailored.check(&catalog).map(|()| tailored));
    Ok(checked.with_context(named)?.to_xccdf(&time::now().to_string()))
}
