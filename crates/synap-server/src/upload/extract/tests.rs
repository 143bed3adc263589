//! What is read out of small files of each format; the limits of the process are tested from outside.

use super::*;

#[track_caller]
fn check(format: Format, file: &str, expected: &str, written_at: Option<&str>) {
    let Outcome::Text(found) = read(format, file.as_bytes()) else {
        panic!("no text in {file}");
    };
    assert_eq!(found.text, expected);
    let at = found.written_at.map(|at| at.to_string());
    assert_eq!(at.as_deref(), written_at);
}

#[test]
fn a_page_keeps_headings_lists_and_tables_and_loses_what_is_not_read() {
    let page = "<!doctype html><html><head><title>T</title><style>p {}</style></head><body><h1>Plan</h1><script>x()</script>\
        <p>We <b>ship</b> on <a href='https://a.example/x'>Monday</a>.<img src='data:image/png;base64,AAAA' alt='a\n chart'>\
        </p><ul><li>One</li><li>Two</li></ul><table><tr><th>Who</th><th>What</th></tr><tr><td>Ada</td><td>Tests</td></tr>\
        </table></body></html>";
    let expected = "# Plan\n\nWe **ship** on [Monday](https://a.example/x).a chart\n\n*   One\n*   Two\n\n\
        | Who | What  |\n| --- | ----- |\n| Ada | Tests |";
    check(Format::Html, page, expected, None);
    let blank = "<html><script>only()</script><img src=x></html>";
    assert_eq!(read(Format::Html, blank.as_bytes()), Outcome::Blank);
}

#[test]
fn a_mail_says_who_when_and_what_and_names_its_attachments() {
    let mail = "From: =?utf-8?q?Zo=C3=AB?= <zoe@a.example>\r\nTo: Al <al@a.example>, bo@a.example\r\n\
        Subject: The\r\n  plan\r\nDate: Tue, 3 Mar 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=m\r\n\r\n\
        --m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n\
        --a\r\nContent-Type: text/plain; charset=latin1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nWe meet at the caf=E9.\r\n\
        --a\r\nContent-Type: text/html\r\n\r\n<p>Another version.</p>\r\n--a--\r\n\
        --m\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=plan.pdf\r\n\r\n%PDF-\r\n--m--\r\n";
    let expected = "# The plan\n\n- From: Zoë <zoe@a.example>\n- To: Al <al@a.example>, bo@a.example\n\
        - Date: 2026-03-03T10:00:00+01:00\n\nWe meet at the café.\n\nAttachments: plan.pdf\n";
    check(Format::Email, mail, expected, Some("2026-03-03T09:00:00Z"));
    let alone = "From: a@b.example\nContent-Type: multipart/alternative; boundary=a\n\n--a\nContent-Type: text/html\n\n<p>Alone.</p>";
    check(
        Format::Email,
        alone,
        "- From: a@b.example\n\nAlone.\n",
        None,
    );
    let page = "From: a@b.example\nContent-Type: text/html\n\n<h2>Hi</h2><p>We ship.</p>";
    check(
        Format::Email,
        page,
        "- From: a@b.example\n\n## Hi\n\nWe ship.\n",
        None,
    );
}

#[test]
fn what_is_not_of_the_format_is_unreadable_and_too_much_is_counted() {
    for bytes in [
        &b"%PDF-1.7\n"[..],
        b"%PDF-1.7\nxref\n0 1\ntrailer\n<< /Root 1 0 R >>\nstartxref\n9\n%%EOF",
        b"",
    ] {
        assert_eq!(read(Format::Pdf, bytes), Outcome::Unreadable);
    }
    assert_eq!(read(Format::Email, b""), Outcome::Unreadable);
    let long = "a".repeat(DOCUMENT_BYTES_MAX + 1);
    assert_eq!(
        read(Format::Html, long.as_bytes()),
        Outcome::TooLong(DOCUMENT_BYTES_MAX + 1)
    );
}
