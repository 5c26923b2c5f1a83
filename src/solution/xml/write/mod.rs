//! Writes XML by the rules of facts §3: two spaces, one line end, the source's own empty elements.
//!
//! The rules are those of .NET's indenting writer, which SolutionPackager uses. In its words: an
//! element is indented unless text stands before it in the same parent (*mixed content*); children
//! inherit that state; white space alone is no text.

use std::borrow::Cow;
use std::ops::Range;

use super::outline::{Element, Outline};
use super::scan::{Scanner, Tag, Token, is_space};
use super::{BOM, DECLARATION, Fault, too_deep};
use text::TextRun;

mod attributes;
mod text;

/// What happens to the namespace declarations of the element that a copy begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Namespaces<'a> {
    /// Attributes stay as they are.
    Keep,
    /// These declarations of the package's root are appended, unless the element has them:
    /// names with values as they stand.
    Declare(&'a [(&'a str, &'a str)]),
    /// These declarations are left out, for the package's root has them.
    Fold(&'a [(&'a str, &'a str)]),
    /// Nothing is declared; a nil attribute inside gets a prefix made up on the spot, as in
    /// `p2:nil="true" xmlns:p2="…"` (facts §3, exceptions).
    Invent,
}

/// Decides which elements a copy hands over instead of writing them.
pub(crate) trait Divert<'t> {
    /// What can go wrong besides a fault in the text.
    type Error: From<Fault>;

    /// Whether an element is handed over; `depth` is 1 for the children of the copied element.
    fn wants(&self, depth: usize, name: &str) -> bool;

    /// Takes an element over whose start tag was just read, and moves the scanner behind it. What
    /// is written stands where the element stood.
    fn take(
        &mut self,
        writer: &mut Writer<'t>,
        scanner: &mut Scanner<'t>,
        tag: Tag<'t>,
    ) -> Result<(), Self::Error>;
}

/// Hands nothing over.
pub(crate) struct Whole;

impl<'t> Divert<'t> for Whole {
    type Error = Fault;

    fn wants(&self, _: usize, _: &str) -> bool {
        false
    }

    fn take(&mut self, _: &mut Writer<'t>, _: &mut Scanner<'t>, _: Tag<'t>) -> Result<(), Fault> {
        Ok(())
    }
}

/// An element that is open.
struct Frame<'t> {
    name: Cow<'t, str>,
    /// State of the parent, restored at the end tag.
    outer_mixed: bool,
    outer_preserve: bool,
}

/// Writes tokens of one text; `'t` is the lifetime of that text.
///
/// What stands in the source as it is to be written is not copied token by token: the writer keeps
/// the range and copies it when something else comes.
pub(crate) struct Writer<'t> {
    out: String,
    newline: &'static str,
    /// The line end with many spaces: what stands before an indented element begins it.
    indentation: &'static str,
    /// Depth of indentation of the next element.
    level: usize,
    mixed: bool,
    preserve: bool,
    /// Whether nothing was written since the last start tag.
    fresh: bool,
    frames: Vec<Frame<'t>>,
    invent: bool,
    /// Prefixes made up for nil attributes, with the number of elements open around each.
    invented: Vec<(usize, String)>,
    source: &'t str,
    /// Range of the source that is still to be copied.
    kept: Range<usize>,
}

macro_rules! indentation {
    ($newline:literal) => {
        concat!(
            $newline,
            "                                                                                "
        )
    };
}

impl<'t> Writer<'t> {
    /// A writer of a whole file: byte-order mark and declaration are written at once.
    pub(crate) fn file(newline: &'static str, capacity: usize) -> Self {
        let mut writer = Self::fragment(newline, 0, capacity + 64);
        writer.out.push_str(BOM);
        writer.out.push_str(DECLARATION);
        writer
    }

    /// A writer of elements that will stand at an indentation level inside a file.
    pub(crate) fn fragment(newline: &'static str, level: usize, capacity: usize) -> Self {
        Self {
            out: String::with_capacity(capacity),
            newline,
            indentation: if newline == "\r\n" {
                indentation!("\r\n")
            } else {
                indentation!("\n")
            },
            level,
            mixed: false,
            preserve: false,
            fresh: false,
            frames: Vec::new(),
            invent: false,
            invented: Vec::new(),
            source: "",
            kept: 0..0,
        }
    }

    /// A writer of elements without any white space between them, for XML that is kept as a text
    /// inside other XML.
    pub(crate) fn compact(capacity: usize) -> Self {
        Self {
            // In mixed content nothing is indented, and what is inside inherits that.
            mixed: true,
            ..Self::fragment("\n", 0, capacity)
        }
    }

    /// The bytes written.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.flush();
        debug_assert!(
            self.frames.is_empty(),
            "every element that was begun is ended"
        );
        // A tree is thousands of these; what each has reserved in vain would double it.
        if self.out.capacity() > self.out.len() + self.out.len() / 4 {
            self.out.shrink_to_fit();
        }
        self.out.into_bytes()
    }

    /// Opens an element of a fixed name. `attributes` stands as it is, with a space before each.
    pub(crate) fn begin(&mut self, name: impl Into<Cow<'t, str>>, attributes: &str) {
        let name = name.into();
        self.open(&name);
        self.out.push_str(attributes);
        self.out.push('>');
        self.push_frame(name, self.preserve);
    }

    /// Closes the element that was opened last.
    pub(crate) fn end(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.close(frame, None);
        }
    }

    /// Writes `<name />`.
    pub(crate) fn empty(&mut self, name: &str) {
        self.open(name);
        self.out.push_str(" />");
        self.fresh = false;
    }

    /// Writes `<name attributes />`; `attributes` stands as it is, with a space before each.
    pub(crate) fn empty_with(&mut self, name: &str, attributes: &str) {
        self.open(name);
        self.out.push_str(attributes);
        self.out.push_str(" />");
        self.fresh = false;
    }

    /// Writes text that is escaped here.
    pub(crate) fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.before_text();
            self.flush();
            let mut run = TextRun::new(self.newline);
            text.chars().for_each(|c| run.push(&mut self.out, c));
        }
    }

    /// Appends elements that were written as a fragment at the present level.
    pub(crate) fn raw(&mut self, fragment: &str) {
        if !fragment.is_empty() {
            self.flush();
            self.out.push_str(fragment);
            self.fresh = false;
        }
    }

    /// Copies an element of the outline's text.
    pub(crate) fn copy(
        &mut self,
        outline: Outline<'t>,
        element: &Element<'t>,
        namespaces: Namespaces<'_>,
    ) -> Result<(), Fault> {
        self.copy_diverting(outline, element, namespaces, &mut Whole)
    }

    /// Copies an element and hands some of the elements in it to `divert`.
    pub(crate) fn copy_diverting<D: Divert<'t>>(
        &mut self,
        outline: Outline<'t>,
        element: &Element<'t>,
        namespaces: Namespaces<'_>,
        divert: &mut D,
    ) -> Result<(), D::Error> {
        let mut scanner = outline.scanner(element.span.clone());
        if let Some(Token::Start(tag)) = scanner.next()? {
            self.element(&mut scanner, tag, namespaces, divert)?;
        }
        if scanner.position() < element.span.end {
            let reason = format!("`<{}>` is closed before its end", element.name);
            return Err(Fault::new(scanner.position(), reason).into());
        }
        Ok(())
    }

    /// Copies the element whose start tag the scanner has just read, and moves behind it.
    pub(crate) fn element<D: Divert<'t>>(
        &mut self,
        scanner: &mut Scanner<'t>,
        tag: Tag<'t>,
        namespaces: Namespaces<'_>,
        divert: &mut D,
    ) -> Result<(), D::Error> {
        let outer = std::mem::replace(&mut self.invent, namespaces == Namespaces::Invent);
        if !std::ptr::eq(self.source, scanner.text()) {
            self.flush();
            self.source = scanner.text();
            self.kept = 0..0;
        }
        let base = self.frames.len();
        self.start(&tag, namespaces)?;
        while self.frames.len() > base {
            let at = scanner.position();
            let Some(token) = scanner.next()? else {
                let open = self.frames.last().map_or("", |frame| &frame.name);
                return Err(Fault::new(at, format!("`<{open}>` is not closed")).into());
            };
            match token {
                Token::Start(tag) => {
                    let depth = self.frames.len() - base;
                    if divert.wants(depth, tag.name) {
                        divert.take(self, scanner, tag)?;
                        continue;
                    }
                    if depth as u64 > scanner.deepest() {
                        return Err(Fault::new(at, too_deep(scanner.deepest())).into());
                    }
                    self.start(&tag, Namespaces::Keep)?;
                }
                Token::End { name } => self.finish_element(name, at..scanner.position())?,
                Token::Space(text) => {
                    if self.preserve {
                        self.copy_text(text, at)?;
                    }
                }
                Token::Text(text) => self.copy_text(text, at)?,
                Token::CData(text) => {
                    self.before_text();
                    self.flush();
                    self.out.push_str("<![CDATA[");
                    self.lines(text);
                    self.out.push_str("]]>");
                }
                Token::Comment(text) => self.between("<!--", text, "-->"),
                Token::Instruction(text) => self.between("<?", text, "?>"),
            }
        }
        self.invent = outer;
        Ok(())
    }

    /// Copies comments and instructions that stand beside the root; the declaration is left out.
    pub(crate) fn prolog(&mut self, text: &'t str, range: Range<usize>) -> Result<(), Fault> {
        let mut scanner = Scanner::new(text, range, 0);
        while let Some(token) = scanner.next()? {
            match token {
                Token::Comment(text) => self.between("<!--", text, "-->"),
                Token::Instruction(text) if !is_declaration(text) => self.between("<?", text, "?>"),
                _ => {}
            }
        }
        Ok(())
    }

    fn start(&mut self, tag: &Tag<'t>, namespaces: Namespaces<'_>) -> Result<(), Fault> {
        let preserve = self.preserve;
        let opened = self.frames.len();
        // Where the attributes end in the source.
        let end = tag.at + 1 + tag.name.len() + tag.attributes.len();
        let close = if tag.empty { " />" } else { ">" };
        if tag.plain {
            // Without a prefix there is nothing to fold, to make up, or to preserve.
            if !self.mixed {
                self.indent();
            }
            self.keep(tag.at..end);
            if let Namespaces::Declare(root) = namespaces {
                self.flush();
                self.declare(root, &[]);
            }
        } else {
            self.open(tag.name);
            let at = tag.at + 1 + tag.name.len();
            if let Some(prefix) = self.attributes(tag.attributes, at, namespaces)? {
                self.invented.push((opened, prefix));
            }
        }
        if self.kept.end == end && self.source[end..].starts_with(close) {
            self.kept.end += close.len();
        } else {
            self.flush();
            self.out.push_str(close);
        }
        if tag.empty {
            self.preserve = preserve;
            self.fresh = false;
            self.forget_prefixes(opened);
        } else {
            self.push_frame(Cow::Borrowed(tag.name), preserve);
        }
        Ok(())
    }

    /// Keeps a range of the source to be copied as it stands.
    fn keep(&mut self, range: Range<usize>) {
        if self.kept.end != range.start {
            self.flush();
            self.kept.start = range.start;
        }
        self.kept.end = range.end;
    }

    /// Copies what was kept.
    fn flush(&mut self) {
        if !self.kept.is_empty() {
            self.out.push_str(&self.source[self.kept.clone()]);
            self.kept.start = self.kept.end;
        }
    }

    fn open(&mut self, name: &str) {
        self.flush();
        if !self.mixed {
            self.indent();
        }
        self.out.push('<');
        self.out.push_str(name);
    }

    fn push_frame(&mut self, name: Cow<'t, str>, outer_preserve: bool) {
        self.frames.push(Frame {
            name,
            outer_mixed: self.mixed,
            outer_preserve,
        });
        self.level += 1;
        self.fresh = true;
    }

    /// Writes the end tag that stands at a place of the source.
    fn finish_element(&mut self, name: &str, place: Range<usize>) -> Result<(), Fault> {
        match self.frames.pop() {
            Some(frame) if frame.name == name => {
                let bare = place.len() == name.len() + "</>".len();
                self.close(frame, bare.then_some(place));
                Ok(())
            }
            Some(frame) => Err(Fault::new(
                place.start,
                format!("`<{}>` is closed by `</{name}>`", frame.name),
            )),
            None => Err(Fault::new(
                place.start,
                format!("`</{name}>` closes nothing"),
            )),
        }
    }

    /// Writes an end tag, which may stand in the source as it is to be written.
    fn close(&mut self, frame: Frame<'t>, place: Option<Range<usize>>) {
        self.level -= 1;
        if !self.mixed && !self.fresh {
            self.indent();
        }
        match place {
            Some(place) => self.keep(place),
            None => {
                self.flush();
                self.out.push_str("</");
                self.out.push_str(&frame.name);
                self.out.push('>');
            }
        }
        self.mixed = frame.outer_mixed;
        self.preserve = frame.outer_preserve;
        self.fresh = false;
        self.forget_prefixes(self.frames.len());
    }

    fn indent(&mut self) {
        self.flush();
        let spaces = self.level * 2;
        let length = self.newline.len() + spaces;
        match self.indentation.get(..length) {
            Some(indentation) if !self.newline.is_empty() => self.out.push_str(indentation),
            _ => {
                self.out.push_str(self.newline);
                self.out.extend(std::iter::repeat_n(' ', spaces));
            }
        }
    }
}

fn is_declaration(instruction: &str) -> bool {
    instruction
        .split(is_space)
        .next()
        .is_some_and(|target| target.eq_ignore_ascii_case("xml"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solution::xml::XSI;

    fn copied(text: &str, newline: &'static str) -> Result<String, Fault> {
        let outline = Outline { text, deepest: 100 };
        let root = outline.root()?;
        let mut writer = Writer::file(newline, text.len());
        writer.copy(outline, &root, Namespaces::Keep)?;
        let all = String::from_utf8(writer.finish()).expect("the writer writes text");
        Ok(all
            .trim_start_matches(BOM)
            .trim_start_matches(DECLARATION)
            .trim_start()
            .to_owned())
    }

    #[test]
    fn the_rules_of_the_facts_hold() {
        for (source, expected) in [
            ("<a><b/></a>", "<a>\n  <b />\n</a>"),
            ("<a>\n\t <b></b> </a>", "<a>\n  <b></b>\n</a>"),
            ("<X>   </X>", "<X></X>"),
            ("<X>&#x20;&#10;</X>", "<X></X>"),
            ("<X>&#160;</X>", "<X>\u{a0}</X>"),
            (
                "<D>mixed <b>bold</b> tail</D>",
                "<D>mixed <b>bold</b> tail</D>",
            ),
            (
                "<D><e/>text<b><c/></b></D>",
                "<D>\n  <e />text<b><c /></b></D>",
            ),
            (
                "<a k='x\"y' j=\"1\n2\t3\"/>",
                "<a k=\"x&quot;y\" j=\"1 2 3\" />",
            ),
            (
                "<a k=\"&#10;&#xD;&#9;'&gt;>&apos;\"/>",
                "<a k=\"&#xA;&#xD;&#x9;'&gt;&gt;'\" />",
            ),
            (
                "<a>&quot;&apos;\"'>&gt;&lt;&amp;</a>",
                "<a>\"'\"'&gt;&gt;&lt;&amp;</a>",
            ),
            (
                "<a>1\r\n2\r3\n4&#13;&#10;5&#xD;\n6</a>",
                "<a>1\n2\n3\n4\n5\n6</a>",
            ),
            ("<a><![CDATA[ <x>\r\n ]]></a>", "<a><![CDATA[ <x>\n ]]></a>"),
            (
                "<a><!-- c\r\nd --><?p i?><b/></a>",
                "<a>\n  <!-- c\nd -->\n  <?p i?>\n  <b />\n</a>",
            ),
            (
                "<a xml:space=\"preserve\"> <b> </b> </a>",
                "<a xml:space=\"preserve\"> <b> </b> </a>",
            ),
            (
                "<a><b xml:space=\"preserve\"/> <c/></a>",
                "<a>\n  <b xml:space=\"preserve\" />\n  <c />\n</a>",
            ),
            ("<a ><b\n/></a >", "<a>\n  <b />\n</a>"),
        ] {
            assert_eq!(copied(source, "\n").unwrap(), expected, "from {source}");
        }
        assert_eq!(
            copied("<a>1\n2<!--\n--></a>", "\r\n").unwrap(),
            "<a>1\r\n2<!--\r\n--></a>"
        );
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for bad in [
            "<a><b></a></b>",
            "<a>&foo;</a>",
            "<a>&#x1F;</a>",
            "<a k=1/>",
            "<a k/>",
            "<a k=\"<\"/>",
            "<a k=\"1\" k=\"2\"/>",
            "<a k=\"1\"j=\"2\"/>",
            "<a>]]></a>",
            "<a><!-- -- --></a>",
            "<1/>",
            "<a></b>",
        ] {
            assert!(copied(bad, "\n").is_err(), "{bad}");
        }
    }

    #[test]
    fn namespaces_of_the_root_are_declared_folded_or_invented() {
        let text = "<a k=\"1\" xmlns:x=\"1\"><b xsi:nil=\"true\" /><c><d xsi:nil=\"true\"><e xsi:nil=\"true\"/></d></c></a>";
        let outline = Outline { text, deepest: 100 };
        let root = outline.root().unwrap();
        let write = |namespaces| {
            let mut writer = Writer::fragment("", 0, 0);
            writer.copy(outline, &root, namespaces).unwrap();
            String::from_utf8(writer.finish())
                .unwrap()
                .replace("  ", "")
        };
        assert!(
            write(Namespaces::Declare(&[("xmlns:xsi", XSI)]))
                .starts_with(&format!("<a k=\"1\" xmlns:x=\"1\" xmlns:xsi=\"{XSI}\">"))
        );
        assert!(write(Namespaces::Fold(&[("xmlns:x", "1")])).starts_with("<a k=\"1\"><b xsi:nil"));
        let invented = write(Namespaces::Invent);
        assert!(
            invented.contains(&format!("<b p2:nil=\"true\" xmlns:p2=\"{XSI}\" />")),
            "{invented}"
        );
        assert!(
            invented.contains(&format!(
                "<d p3:nil=\"true\" xmlns:p3=\"{XSI}\"><e p3:nil=\"true\" />"
            )),
            "{invented}"
        );
    }
}
