//! Scripts of others: whatever they say, they end in time and the program goes on.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use almscript::run::Host;
use arbitrary::Unstructured;

/// How long a script may take.
const TIME: Duration = Duration::from_millis(100);

/// How much later it must have ended: the host waits for a primitive for a second at most.
const LATE: Duration = Duration::from_secs(3);

/// Runs made by one host, whose history lives in memory.
const RUNS: usize = 200;

/// Statements; `A`, `B` and `C` are variables, `N` is a number.
const STATEMENTS: &[&str] = &[
    "A = [B, C];",
    "A = #{ a: B, b: C };",
    "A = B;",
    "A = [[], B];",
    "A = \"x\";",
    "A = N;",
    "A += B;",
    "A = A + B;",
    "A -= B;",
    "A = A * N;",
    "A.push(B);",
    "A.append(B);",
    "A.insert(N, B);",
    "A.pad(N, B);",
    "A.pad(N, \"ab\");",
    "A.pad(N, 'a');",
    "A.replace(B, C);",
    "A.replace(\"a\", B);",
    "A = A.split(B);",
    "A = A.split(\"\");",
    "A = A.split(N);",
    "A = A.to_chars();",
    "A = A.split_rev('a', N);",
    "A.sort();",
    "A.sort(|x, y| B);",
    "A = A.order_desc();",
    "A = A.map(|x| [x, B]);",
    "A = A.map(|x| this);",
    "A = A.filter(|x| x == B);",
    "A = A.reduce(|s, x| [s, x], B);",
    "A = A.drain(|x| true);",
    "A = A.retain(N, N);",
    "A = A.drain(0..N);",
    "A.splice(N, N, B);",
    "A.dedup();",
    "A.reverse();",
    "A = A.contains(B);",
    "A = A.index_of(B, N);",
    "A = B == C;",
    "A = B in C;",
    "A = `${A}${B}`;",
    "A = to_debug(B);",
    "A = A.to_json();",
    "A = parse_json(B);",
    "A = || B;",
    "A = A.curry(B);",
    "A = A.call(B);",
    "A = f(B);",
    "A = B.g(C);",
    "A = take(B);",
    "A.push([A.pop()]);",
    "A.a = #{ a: A.remove(\"a\") };",
    "A[0] = B;",
    "A = A[N];",
    "A.a = B;",
    "A = blob(N, N);",
    "A = A.to_array();",
    "A = A.as_string();",
    "A = A.keys();",
    "A = A.len();",
    "A = step(\"s\", || B);",
    "A = run::script(\"x\", #{});",
    "print(A);",
    "notice(`${A}`);",
    "throw A;",
    "fail(`${A}`);",
    "return A;",
    "if A == B { break; }",
    "continue;",
];

/// What stands around other statements; `S` is their place.
const BLOCKS: &[&str] = &[
    "loop { S }",
    "for i in 0..N { S }",
    "for i in A { S }",
    "while A != B { S }",
    "if A == B { S }",
    "try { S } catch (e) { A = e; }",
    "A = || { S };",
    "A = A.map(|x| { S });",
    "A = step(\"b\", || { S });",
];

const NUMBERS: &[i64] = &[
    0,
    1,
    2,
    3,
    7,
    -1,
    64,
    1000,
    100_000,
    3_000_000,
    1 << 40,
    i64::MAX,
];

/// A script ends in time, for a reason of its own and not by a panic; an abort ends the search.
pub fn script(data: &[u8]) {
    thread_local! {
        static HOST: RefCell<(Host, usize)> = RefCell::new((host(), 0));
    }
    let text = match data.split_first() {
        // Written by hand, or by libFuzzer letter by letter.
        Some((b'#', text)) => String::from_utf8_lossy(text).into_owned(),
        _ => written(&mut Unstructured::new(data)),
    };
    HOST.with_borrow_mut(|(current, runs)| {
        if *runs == RUNS {
            *current = host();
            *runs = 0;
        }
        *runs += 1;
        current.script("x", text.clone());
        let started = Instant::now();
        let ended = current.run("x").sandbox().time_limit(TIME).go();
        let took = started.elapsed();
        assert!(took < TIME + LATE, "{took:?}\n{text}");
        let failure = ended.ok().and_then(|finished| finished.failure);
        let broken = failure.filter(|failure| failure.code == "ALM-R013");
        assert!(broken.is_none(), "{broken:?}\n{text}");
    });
}

fn host() -> Host {
    Host::in_memory().expect("a host in memory")
}

/// A script made of the statements that `data` chooses. Each one may fail without ending it.
fn written(data: &mut Unstructured<'_>) -> String {
    let mut text = String::new();
    for function in ["f(x)", "g(x)"] {
        let own = "let a = [x]; let b = x; let c = #{ a: x };";
        text += &format!("fn {function} {{ {own} {} a }}\n", block(data, 1));
    }
    text += "let a = []; let b = \"x\"; let c = #{ a: [1] };\n";
    text += &block(data, 3);
    text + " a"
}

fn block(data: &mut Unstructured<'_>, levels: usize) -> String {
    let mut text = String::new();
    for _ in 0..data.int_in_range(0..=6).unwrap_or(0) {
        let inner = levels > 0 && data.ratio(1, 3).unwrap_or(false);
        let kinds = if inner { BLOCKS } else { STATEMENTS };
        let Ok(pattern) = data.choose(kinds) else {
            break;
        };
        let inside = if inner {
            block(data, levels - 1)
        } else {
            String::new()
        };
        text += "try { ";
        for letter in pattern.chars() {
            match letter {
                'A' | 'B' | 'C' => text += data.choose(&["a", "b", "c"]).unwrap_or(&"a"),
                'N' => text += &data.choose(NUMBERS).unwrap_or(&1).to_string(),
                'S' => text += &inside,
                other => text.push(other),
            }
        }
        text += " } catch {}\n";
    }
    text
}
