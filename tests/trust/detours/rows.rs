//! Rows are rows: the tables that are the system itself ask for the action that writing them is.

use std::collections::BTreeSet;

use almscript::run::Host;
use serde_json::Value;

use crate::workspace::Workspace;

const NOBODY: &str = "00000000-0000-4000-8000-000000000001";

/// A workspace where production allows so much, whoever asks.
fn production_allows(actions: &str) -> Workspace {
    let workspace = Workspace::example();
    let file = workspace.dir().join("alm.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let rule = r#"prod = ["read", "import-managed", "configure", "write-rows"]"#;
    assert!(text.contains(rule));
    std::fs::write(&file, text.replace(rule, &format!("prod = [{actions}]"))).unwrap();
    workspace
}

/// What a script returns that may do everything but what the policy forbids.
fn run(workspace: &Workspace, script: &str) -> Value {
    let mut host = Host::open(workspace.dir()).unwrap();
    host.script("attempt", format!("//! Attempt.\n{script}"));
    let finished = host.run("attempt").go().unwrap();
    let why = finished.failure.map(|failure| failure.render(false));
    assert_eq!(why, None);
    finished.value
}

#[test]
fn write_rows_reaches_the_tables_that_hold_data_and_no_other() {
    let workspace = production_allows(r#""read", "write-rows""#);
    let told = run(
        &workspace,
        &format!(
            r#"let prod = environment::named("prod");
               let told = #{{}};
               for table in prod.rows("EntityDefinitions", #{{ select: ["EntitySetName"] }}) {{
                   let set = table.EntitySetName;
                   told[set] = "write-rows";
                   try {{ prod.delete_row(set, "{NOBODY}"); }}
                   catch (e) {{ if e.code == "ALM-W017" {{ told[set] = e.message; }} }}
               }}
               told"#
        ),
    );
    let told = told.as_object().unwrap();
    assert!(told.len() > 50, "{}", told.len());
    let by_rows = |(set, said): (&String, &Value)| {
        let said = said.as_str().unwrap_or_default();
        (said == "write-rows").then(|| set.clone())
    };
    let data: BTreeSet<String> = told.iter().filter_map(by_rows).collect();
    let expected = [
        "accounts",
        "annotations",
        "contacts",
        "queues",
        "tasks",
        "transactioncurrencies",
    ];
    assert_eq!(data, expected.map(str::to_owned).into());
    for (set, action) in [
        ("solutions", "delete"),
        ("workflows", "delete"),
        ("webresourceset", "delete"),
        ("roles", "delete"),
        ("sdkmessageprocessingsteps", "delete"),
        ("environmentvariablevalues", "configure"),
        ("connectionreferences", "configure"),
        ("systemusers", "configure"),
        ("teams", "configure"),
        ("asyncoperations", "configure"),
        ("systemuserrolescollection", "configure"),
        ("organizations", "configure"),
    ] {
        let said = told[set].as_str().unwrap();
        assert!(
            said.contains(&format!("a script may not {action} on environment `prod`")),
            "{set}: {said}"
        );
    }
}

#[test]
fn a_component_is_configured_by_its_state_and_imported_by_all_else() {
    let workspace = production_allows(r#""read", "configure", "write-rows""#);
    let told = run(
        &workspace,
        &format!(
            r#"let prod = environment::named("prod");
               let told = [];
               let attempt = |what| {{ try {{ what.call(); told.push("done"); }} catch (e) {{ told.push(`${{e.code}} ${{e.message}}`); }} }};
               attempt.call(|| prod.update_row("workflows", "{NOBODY}", #{{ statecode: 1, statuscode: 2 }}));
               attempt.call(|| prod.update_row("workflows", "{NOBODY}", #{{ statecode: 1, clientdata: "x" }}));
               attempt.call(|| prod.create_row("webresourceset", #{{ name: "new_x.js" }}));
               attempt.call(|| prod.create_row("solutions", #{{ uniquename: "x" }}));
               told"#
        ),
    );
    let told: Vec<&str> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    assert!(told[0].starts_with("ALM-E003"), "{told:?}");
    for refused in &told[1..] {
        assert!(
            refused.contains("a script may not import on environment `prod`"),
            "{told:?}"
        );
    }
}

#[test]
fn actions_and_functions_are_no_tables() {
    let workspace = production_allows(r#""read", "configure", "write-rows""#);
    let told = run(
        &workspace,
        r#"let prod = environment::named("prod");
           let told = [];
           for name in ["PublishAllXml", "ImportSolution", "DeleteAndPromote", "WhoAmI", "EntityDefinitions",
                        "solutions/Microsoft.Dynamics.CRM.x", "Accounts", "nothing"] {
               try { prod.create_row(name, #{}); told.push("done"); } catch (e) { told.push(`${e.code} ${e.message}`); }
           }
           told"#,
    );
    for said in told.as_array().unwrap() {
        assert!(said.as_str().unwrap().starts_with("ALM-E022"), "{told}");
    }
}

#[test]
fn rows_inside_rows_are_refused() {
    let workspace = production_allows(r#""read", "write-rows""#);
    let told = run(
        &workspace,
        r#"let prod = environment::named("prod");
           let told = [];
           for columns in [
               #{ name: "x", owninguser: #{ domainname: "me@contoso.example" } },
               #{ name: "x", account_tasks: [#{ subject: "x" }] },
               #{ name: "x", "account_tasks@odata.bind": ["/workflows(1)"] },
           ] {
               try { prod.create_row("accounts", columns); told.push("done"); } catch (e) { told.push(e.code); }
           }
           told"#,
    );
    assert_eq!(
        told,
        serde_json::json!(["ALM-E023", "ALM-E023", "ALM-E023"])
    );
}

#[test]
fn configuration_data_asks_for_the_same_actions() {
    let workspace = production_allows(r#""read", "write-rows""#);
    let schema = r#"<entities><entity name="team" displayname="Team" primaryidfield="teamid" primarynamefield="name" disableplugins="false"><fields>
        <field name="teamid" displayname="Team" type="guid" primaryKey="true"/><field name="name" displayname="Name" type="string" updateCompare="true"/></fields></entity></entities>"#;
    let data = r#"<entities timestamp="2026-01-01T00:00:00.0000000Z"><entity name="team" displayname="Team"><records><record id="10000000-0000-4000-8000-000000000001">
        <field name="teamid" value="10000000-0000-4000-8000-000000000001"/><field name="name" value="Owners"/></record></records></entity></entities>"#;
    let folder = workspace
        .dir()
        .join("Sales/config/prod/ConfigurationMigrationData");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::create_dir_all(workspace.dir().join("Sales/SolutionPackage/src/Other")).unwrap();
    std::fs::write(
        workspace
            .dir()
            .join("Sales/SolutionPackage/src/Other/Solution.xml"),
        "<x/>",
    )
    .unwrap();
    std::fs::write(folder.join("data_schema.xml"), schema).unwrap();
    std::fs::write(folder.join("data.xml"), data).unwrap();
    let told = run(
        &workspace,
        r#"let found = deployment::find_data(".", #{ solution: "Sales", environment: "prod" });
           let told = "done";
           try { environment::named("prod").import_data(found); } catch (e) { told = e.message; }
           told"#,
    );
    let said = told.as_str().unwrap();
    assert!(
        said.contains("a script may not configure on environment `prod`"),
        "{said}"
    );
}
