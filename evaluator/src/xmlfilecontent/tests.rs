use super::*;

fn select(xml: &str, expression: &str) -> Result<Selected, String> {
    Tree::read(xml.as_bytes())?.select(expression)
}

fn texts(xml: &str, expression: &str) -> Vec<String> {
    match select(xml, expression) {
        Ok(Selected::Texts(texts)) => texts,
        other => panic!("{expression}: {other:?}"),
    }
}

const XML: &str = r#"<r xml:lang="en" xmlns:n="urn:n" n:q="1" q="2"><a q="3" n:q="4">t<!-- c -->u<?p i?><![CDATA[v]]></a><n:b xmlns="urn:d" w=" a  b "> <c/> </n:b></r>"#;

#[test]
fn namespaces_are_taken_away() {
    assert_eq!(texts(XML, "//@q"), ["2", "4"]);
    assert_eq!(texts(XML, "//@lang"), ["en"]);
    assert_eq!(texts(XML, "/r/a/text()"), ["tuv"]);
    assert_eq!(texts(XML, "//b/text()"), [" ", " "]);
    assert_eq!(texts(XML, "//c/../@w"), [" a  b "]);
    assert_eq!(texts(XML, "/r/a/text()|/r/a/@q"), ["4", "tuv"]);
    assert_eq!(texts(XML, "//b"), Vec::<String>::new());
    assert_eq!(select(XML, "//n:b").unwrap_err().split('\'').nth(3), Some("n"));
    assert_eq!(select(XML, "//comment()"), Ok(Selected::Nothing));
}

#[test]
fn other_values_than_nodes() {
    assert_eq!(select(XML, "count(//text())"), Ok(Selected::Number(3)));
    for (expression, number) in
        [("-7.9", -7), ("1 div 0", i32::MIN), ("0 div 0", i32::MIN), ("3000000000", i32::MIN)]
    {
        assert_eq!(select(XML, expression), Ok(Selected::Number(number)), "{expression}");
    }
    assert_eq!(select(XML, "string(//a)"), Ok(Selected::Text("tuv".to_owned())));
    assert_eq!(select(XML, "//c = ''"), Ok(Selected::Boolean(true)));
    for bad in ["/a/[", "nofn()", "", "$x", "'n:x' = n:y"] {
        assert!(select(XML, bad).is_err(), "{bad}");
    }
    assert_eq!(select(XML, "'n:x' = 'n:x'"), Ok(Selected::Boolean(true)));
    assert_eq!(select(XML, "child::r/child::nope"), Ok(Selected::Nothing));
}

#[test]
fn what_is_hostile_is_bounded() {
    let mut bomb = "<!DOCTYPE a [<!ENTITY a0 'aaaaaaaaaa'>".to_owned();
    for level in 1..12 {
        let reference = format!("&a{};", level - 1);
        bomb.push_str(&format!("<!ENTITY a{level} '{}'>", reference.repeat(10)));
    }
    assert!(Tree::read(format!("{bomb}]><a>&a11;</a>").as_bytes()).is_err());
    let deep = "<a>".repeat(100_000);
    assert!(Tree::read(deep.as_bytes()).is_err());
    let deep = format!("{}{}", "<a>".repeat(250), "</a>".repeat(250));
    assert_eq!(select(&deep, "count(//a)"), Ok(Selected::Number(250)));
    assert!(select(XML, &"(".repeat(100_000)).is_err());
    let wide = format!("<a>{}</a>", "<b/>".repeat(3_000));
    assert!(select(&wide, "//b[count(//b[count(//b) > 1]) > 1]").is_err());
    assert!(Tree::read(&vec![b' '; MAX_SIZE + 1]).is_err());
}

#[test]
fn encodings_are_read() {
    let a = |bytes: &[u8]| Tree::read(bytes).and_then(|tree| tree.select("string(/a)"));
    let text = |text: &str| Ok(Selected::Text(text.to_owned()));
    assert_eq!(a(b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe4</a>"), text("ä"));
    assert_eq!(a(b"\xef\xbb\xbf<a>bom</a>"), text("bom"));
    assert_eq!(a(b"\xff\xfe<\0a\0>\0x\0<\0/\0a\0>\0"), text("x"));
    assert_eq!(a(b"<a>r\r\nn</a>"), text("r\nn"));
    for bad in
        [&b"<a>\xe4</a>"[..], b"", b"<a>1</a><b/>", b"\n<?xml version=\"1.0\"?><a/>", b"<p:a/>", b"\xff\xfe<"]
    {
        assert!(a(bad).is_err(), "{bad:?}");
    }
}
