//! A table from its folder: `Entity.xml` with its ribbon, forms, views and charts (facts §5, §9.3).

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::built::{Bench, Built};
use super::files::{choose, join, strip_suffix, text};
use super::listing::File;
use crate::solution::checks;
use crate::solution::xml::Fault;
use crate::solution::xml::outline::{Element, Outline};
use crate::solution::xml::scan::{Scanner, Tag};
use crate::solution::xml::write::{Divert, Namespaces, Writer};
use crate::solution::{Finding, PackageError, names};

/// Indentation levels, counted from the root of `customizations.xml`.
const ENTITY: usize = 2;

/// How many tables are built before the first of them is taken: enough to keep all cores busy, few
/// enough that the tables, which are most of a package, are never in memory twice.
const AT_ONCE: usize = 64;

/// Builds all tables on all cores and hands them over in the order of their folders.
pub(super) fn build_all(
    bench: &Bench<'_>,
    mut take: impl FnMut(Built),
) -> Result<(), PackageError> {
    for folders in bench.listing.folders_in("Entities").chunks(AT_ONCE) {
        let built = folders
            .par_iter()
            .map(|folder| build(bench, folder))
            .collect::<Result<Vec<_>, PackageError>>()?;
        built.into_iter().for_each(&mut take);
    }
    Ok(())
}

fn build(bench: &Bench<'_>, folder: &str) -> Result<Built, PackageError> {
    let mut built = Built::default();
    let Some(file) = bench.listing.get(&format!("{folder}/Entity.xml")) else {
        let message = "there is no `Entity.xml`; the table is left out".to_owned();
        built
            .findings
            .push(Finding::warning("ALM-P127", folder, message));
        return Ok(built);
    };
    let sub = Parts {
        forms: forms(bench, folder, &mut built)?,
        views: list(bench, folder, "SavedQueries", 5, &mut built)?,
        charts: list(bench, folder, "Visualizations", 4, &mut built)?,
        ribbon: ribbon(bench, folder, &mut built)?,
    };
    bench.read(file, |page, root| {
        let mut fill = Fill {
            parts: sub,
            met: Vec::new(),
            formulas: Vec::new(),
        };
        let mut writer = bench.fragment(ENTITY, fill.parts.size() + root.span.len() + 1024);
        page.copy_diverting(&mut writer, &root, &mut fill)?;
        built.xml = text(writer.finish());
        for name in ["FormXml", "SavedQueries", "Visualizations"] {
            let stray = bench.listing.below(&format!("{folder}/{name}"));
            if let Some(first) = stray.first().filter(|_| !fill.met.contains(&name)) {
                // Microsoft's tool says nothing (facts §5, §19).
                let message = format!(
                    "`{}` has no `<{name} />`, so {} files in `{name}` are left out",
                    page.file,
                    stray.len()
                );
                built
                    .findings
                    .push(Finding::warning("ALM-P128", first.path, message));
            }
        }
        for formula in &fill.formulas {
            let part = page.text(formula)?;
            let file = part.rsplit('/').next().unwrap_or(&part);
            let path = format!("{folder}/Formulas/{file}");
            formula_payload(
                bench,
                &part,
                &path,
                page.file,
                page.line(formula),
                &mut built,
            );
        }
        let present = checks::present("Entities", page.file, page.outline, &root);
        built
            .present
            .extend(present.map_err(|fault| page.error(fault))?);
        Ok(built)
    })
}

/// A formula; Microsoft's tool says nothing if it is missing (facts §11), so this is a warning.
fn formula_payload(
    bench: &Bench<'_>,
    part: &str,
    path: &str,
    named_in: &str,
    line: u32,
    built: &mut Built,
) {
    match bench.listing.get(path) {
        Some(found) => built.payloads.push(super::built::Payload {
            part: part.trim_start_matches('/').to_owned(),
            file: found.path.to_owned(),
            data: found.data.clone(),
        }),
        None => {
            let message = format!("the formula `{path}` is missing and is left out");
            built
                .findings
                .push(Finding::warning("ALM-P129", named_in, message).at(line));
        }
    }
}

/// The sub-components of a table, written for their place.
struct Parts {
    forms: String,
    views: String,
    charts: String,
    ribbon: String,
}

impl Parts {
    fn size(&self) -> usize {
        self.forms.len() + self.views.len() + self.charts.len() + self.ribbon.len()
    }
}

/// Puts the sub-components where the placeholders stand.
struct Fill<'p> {
    parts: Parts,
    met: Vec<&'p str>,
    formulas: Vec<Element<'p>>,
}

impl<'p> Divert<'p> for Fill<'p> {
    type Error = Fault;

    fn wants(&self, depth: usize, name: &str) -> bool {
        let placeholder = matches!(
            name,
            "FormXml" | "SavedQueries" | "Visualizations" | "RibbonDiffXml"
        );
        (depth == 1 && placeholder) || name == "FormulaDefinitionFileName"
    }

    fn take(
        &mut self,
        writer: &mut Writer<'p>,
        scanner: &mut Scanner<'p>,
        tag: Tag<'p>,
    ) -> Result<(), Fault> {
        let element = scanner.element(tag)?;
        let outline = Outline::of(scanner);
        let xml = match element.name {
            "FormXml" => std::mem::take(&mut self.parts.forms),
            "SavedQueries" => std::mem::take(&mut self.parts.views),
            "Visualizations" => std::mem::take(&mut self.parts.charts),
            "RibbonDiffXml" => std::mem::take(&mut self.parts.ribbon),
            _ => {
                writer.copy(outline, &element, Namespaces::Keep)?;
                self.formulas.push(element);
                return Ok(());
            }
        };
        self.met.push(element.name);
        match element.name {
            // Its file has the element itself.
            "RibbonDiffXml" if !xml.is_empty() => writer.raw(&xml),
            _ if !xml.is_empty() => {
                writer.begin(element.name, "");
                if element.name == "SavedQueries" {
                    writer.begin("savedqueries", "");
                    writer.raw(&xml);
                    writer.end();
                } else {
                    writer.raw(&xml);
                }
                writer.end();
            }
            // A tree that was never unpacked to the end may have it here.
            _ if !outline.children(element.inner.clone())?.is_empty() => {
                writer.copy(outline, &element, Namespaces::Keep)?;
            }
            _ => writer.empty(element.name),
        }
        Ok(())
    }
}

fn ribbon(bench: &Bench<'_>, folder: &str, built: &mut Built) -> Result<String, PackageError> {
    let Some(file) = bench.listing.get(&format!("{folder}/RibbonDiff.xml")) else {
        return Ok(String::new());
    };
    let one = bench.read(file, |page, root| {
        let mut writer = bench.fragment(ENTITY + 1, root.span.len());
        page.copy(&mut writer, &root)?;
        Ok(Built {
            xml: text(writer.finish()),
            ..Built::default()
        })
    })?;
    built.findings.extend(one.findings);
    Ok(one.xml)
}

/// Views and charts, by file name. Views lie in a wrapper, charts do not.
fn list(
    bench: &Bench<'_>,
    folder: &str,
    sub: &str,
    level: usize,
    built: &mut Built,
) -> Result<String, PackageError> {
    let mut files = bench.listing.directly_in(&format!("{folder}/{sub}"));
    files.retain(|file| strip_suffix(file.path, ".xml").is_some());
    let wrapped = sub == "SavedQueries";
    let joined = join(files, |file| sub_component(bench, file, level, wrapped))?;
    built.findings.extend(joined.findings);
    Ok(joined.xml)
}

/// A form, view or chart.
fn sub_component(
    bench: &Bench<'_>,
    file: File<'_>,
    level: usize,
    wrapped: bool,
) -> Result<Built, PackageError> {
    bench.read(file, |page, root| {
        let mut writer = bench.fragment(level, root.span.len() + root.span.len() / 4);
        if wrapped {
            page.copy_children(&mut writer, &root)?;
        } else {
            page.copy(&mut writer, &root)?;
        }
        Ok(Built {
            xml: text(writer.finish()),
            ..Built::default()
        })
    })
}

/// Whether a form is only there because the table is, without changes of its own.
fn is_unmodified(bench: &Bench<'_>, file: File<'_>) -> Result<bool, PackageError> {
    bench.read(file, |page, root| {
        let forms = page.children(&root)?;
        Ok(!forms.is_empty()
            && forms
                .iter()
                .all(|form| form.attribute("unmodified").as_deref() == Some("1")))
    })
}

/// Forms: sorted by id across all types, then grouped by type (facts §9.3).
fn forms(bench: &Bench<'_>, folder: &str, built: &mut Built) -> Result<String, PackageError> {
    struct Form<'t> {
        kind: &'t str,
        plain: Option<File<'t>>,
        twin: Option<File<'t>>,
    }
    let mut forms: BTreeMap<(String, String), Form<'_>> = BTreeMap::new();
    for kind_folder in bench.listing.folders_in(&format!("{folder}/FormXml")) {
        let kind = kind_folder.rsplit('/').next().unwrap_or(kind_folder);
        for file in bench.listing.directly_in(kind_folder) {
            let name = file.path.rsplit('/').next().unwrap_or(file.path);
            let Some(stem) = strip_suffix(name, ".xml") else {
                continue;
            };
            let (id, twin) = match strip_suffix(stem, "_managed") {
                Some(id) => (id, true),
                None => (stem, false),
            };
            let form = forms
                .entry((names::fold(id), names::fold(kind)))
                .or_insert(Form {
                    kind,
                    plain: None,
                    twin: None,
                });
            *(if twin {
                &mut form.twin
            } else {
                &mut form.plain
            }) = Some(file);
        }
    }
    let has_twins = forms.values().any(|form| form.twin.is_some());
    let mut groups: Vec<(&str, Vec<File<'_>>)> = Vec::new();
    for form in forms.into_values() {
        if let (true, true, Some(plain), None) = (bench.managed, has_twins, form.plain, form.twin)
            && is_unmodified(bench, plain)?
        {
            // The server exports such forms in unmanaged packages only.
            let message = "the form is unmodified and has no managed form; it is left out";
            built
                .findings
                .push(Finding::note("ALM-P134", plain.path, message.to_owned()));
            continue;
        }
        let Some(file) = choose(bench, form.plain, form.twin, built) else {
            continue;
        };
        match groups
            .iter_mut()
            .find(|(kind, _)| kind.eq_ignore_ascii_case(form.kind))
        {
            Some((_, files)) => files.push(file),
            None => groups.push((form.kind, vec![file])),
        }
    }
    let mut xml = String::new();
    for (kind, files) in groups {
        let joined = join(files, |file| sub_component(bench, file, 5, true))?;
        built.findings.extend(joined.findings);
        let mut writer = bench.fragment(4, joined.xml.len() + 128);
        let kind = crate::solution::xml::escape_attribute(kind);
        writer.begin("forms", &format!(" type=\"{kind}\""));
        writer.raw(&joined.xml);
        writer.end();
        xml.push_str(&text(writer.finish()));
    }
    Ok(xml)
}
