//! What a package, a script, a folder, a web page or a colleague can do: exactly what the policy says.
//! One file for each way that somebody may try.

mod audit;
mod detours;
mod files;
mod kept;
mod limits;
mod links;
mod making;
mod odd_files;
mod personas;
mod rights;
mod served;
mod table;

#[path = "../fixtures/workspace.rs"]
mod workspace;
