/// How pages look: one column, light and dark, nothing fetched.
enum PageStyle {
    static let css = """
        :root{color-scheme:light dark;--back:#f4f5f7;--card:#fff;--text:#1c2024;--soft:#59616b;\
        --line:#d9dde3;--accent:#1a56c4;--on:#fff}
        @media (prefers-color-scheme:dark){:root{--back:#14171b;--card:#1d2126;--text:#e9ecef;\
        --soft:#a3acb6;--line:#353b43;--accent:#8ab4ff;--on:#10141a}}
        *{box-sizing:border-box}
        html{font:100%/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
        body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;\
        justify-content:center;padding:1rem;background:var(--back);color:var(--text)}
        main{width:100%;max-width:32rem;background:var(--card);border:1px solid var(--line);\
        border-radius:.75rem;padding:1.5rem;overflow-wrap:anywhere}
        h1{font-size:1.375rem;line-height:1.25;margin:0 0 .75rem}
        p,ul{margin:0 0 .75rem}
        ul{padding-left:1.25rem}
        form{margin:0}
        .actions{display:flex;flex-wrap:wrap;gap:.75rem;align-items:center;margin:1.25rem 0 0}
        .button{display:inline-block;font:inherit;font-weight:600;padding:.5rem 1rem;\
        border:1px solid var(--accent);border-radius:.5rem;background:var(--accent);\
        color:var(--on);text-decoration:none;cursor:pointer}
        .button:focus-visible,a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
        a{color:var(--accent)}
        .soft{color:var(--soft)}
        footer{width:100%;max-width:32rem;padding:.75rem 1.5rem 0;font-size:.875rem;\
        color:var(--soft);overflow-wrap:anywhere}
        """

    /// Presses the one button of a page; the page works without it.
    static let submit = "document.forms[0].submit()"
}
