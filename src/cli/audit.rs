//! `alm audit`.

use clap::Args;
use serde_json::json;

use super::exit::Exit;
use super::failure::Failure;
use super::options::Options;
use super::render::{Output, Table, moment};
use crate::run::{History, Verified};

/// Show what was done here and what was refused, the newest first
///
/// Runs, approvals, completed pull requests, refusals and changes of alm.toml, each entry chained to
/// the one before by its digest. `--verify` follows the chain. Keep the digest that it prints somewhere
/// else: `--verify --known DIGEST` later shows that nothing before it was changed since.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// At most this many
    #[arg(long, default_value_t = 50)]
    limit: usize,

    /// Follow the chain from the first entry instead
    #[arg(long, conflicts_with = "limit")]
    verify: bool,

    /// An entry with this digest must be in the chain
    #[arg(long, value_name = "DIGEST", requires = "verify")]
    known: Option<String>,
}

/// Runs `alm audit`.
pub fn run(arguments: &AuditArgs, options: &Options, output: Output) -> Result<(), Failure> {
    let workspace = options.open()?;
    let history = History::open(&workspace.state())?;
    if arguments.verify {
        return verify(&history, arguments.known.as_deref(), output);
    }
    let entries = history.audit(Some(arguments.limit))?;
    if output.json() {
        entries
            .iter()
            .for_each(|entry| output.object(&json!(entry)));
        return Ok(());
    }
    let mut table = Table::new(["entry", "time", "who", "as", "what"]);
    for entry in entries {
        table.row([
            json!(entry.number),
            json!(moment(entry.time)),
            json!(entry.who),
            json!(entry.persona),
            json!(entry.event.to_string()),
        ]);
    }
    table.write(output, "Nothing was done here yet.");
    Ok(())
}

fn verify(history: &History, known: Option<&str>, output: Output) -> Result<(), Failure> {
    let refuse = |message: String, hint: &str| {
        Err(Failure::usage("ALM-R039", message)
            .exit(Exit::Findings)
            .hint(hint))
    };
    match history.verify(known)? {
        Verified::Whole { entries, head } => {
            output.object(&json!({ "event": "verified", "entries": entries, "head": head }));
            let count = match entries {
                1 => "1 entry follows".to_owned(),
                count => format!("{count} entries follow"),
            };
            output.line(format!("{count} each other without a gap; the newest is"));
            output.line(head);
            Ok(())
        }
        Verified::Broken { number } => refuse(
            format!("entry {number} of the audit log is missing or is not as it was written"),
            "what is before it is as it was; what comes after may be anybody's",
        ),
        Verified::NotFound => refuse(
            "the entries follow each other, but none has that digest".to_owned(),
            "the log was made anew, or cut off before that entry",
        ),
    }
}
