//! All codes in the order of the alphabet. A code never changes its meaning.

use super::Code;

const fn code(code: &'static str, title: &'static str, text: &'static str) -> Code {
    Code { code, title, text }
}

/// Every code that a person can meet.
#[rustfmt::skip]
pub(super) const CODES: &[Code] = &[
    code("ALM-B001", "the git repository cannot be opened",
        "There is no repository in the folder, or it is damaged."),
    code("ALM-B002", "not in the repository",
        "The branch, tag, commit or file does not exist. Names are compared with upper and lower case."),
    code("ALM-B003", "somebody else was faster",
        "The branch moved since it was read, or exists although it should be new. Nothing was overwritten; \
         read it again and repeat the work."),
    code("ALM-B004", "git does not allow the name",
        "A branch's name has no spaces and none of `~ ^ : ? * [ \\`, no `..`, and does not end with `.lock` \
         or a slash."),
    code("ALM-B005", "a path that no repository should hold",
        "The path leaves the repository, has an empty part, cannot exist on every file system, or would hit git's \
         own folder under one of its names there: `.git`, `git~1`, other letter cases, dots or spaces at the end, \
         characters that a file system passes over. Rename the file."),
    code("ALM-B006", "the git repository cannot be used",
        "A damaged object, a full disk, or a lock that another process holds. The message has git's own \
         words."),
    code("ALM-B010", "the git host does not accept the sign-in",
        "The identity of the host in `alm.toml` has no rights there, or its token is wrong or expired."),
    code("ALM-B011", "not allowed on the git host",
        "The host knows who asks and says no. The message has its words."),
    code("ALM-B012", "not found on the git host",
        "A project, repository, branch, pull request or build is not there, or may not be seen."),
    code("ALM-B013", "an open pull request exists already",
        "There is one for the same two branches; `alm pr list` shows it."),
    code("ALM-B014", "changed meanwhile",
        "Somebody changed the source or the branch since it was read. Look again and repeat the work."),
    code("ALM-B015", "merge conflicts",
        "The two branches changed the same lines. Bring the source up to date with the target and resolve \
         them there."),
    code("ALM-B016", "a branch policy is not met",
        "The target branch asks for something, such as a successful build or an approval, that is missing."),
    code("ALM-B017", "the git host refused",
        "The message has the host's own words."),
    code("ALM-B018", "an answer that cannot be read",
        "The git host answered something that does not fit its own documentation."),
    code("ALM-B019", "the branch exists already",
        "Choose another name, or leave out where it should start from to use it as it is."),
    code("ALM-B020", "no such branch",
        "Names are compared with upper and lower case."),
    code("ALM-B021", "the pull request is no longer open",
        "It was completed or abandoned."),
    code("ALM-B022", "it takes too long",
        "What was waited for did not happen in time. It may still happen on the host."),
    code("ALM-B023", "the git program cannot be used",
        "Work with a remote repository needs `git` 2.41 or newer on the path."),
    code("ALM-B024", "git failed",
        "The message has git's own words."),
    code("ALM-B025", "a file of the repository cannot be read or written",
        "The message names it and what the operating system said."),
    code("ALM-B026", "this cannot be done with a branch",
        "The message says why."),
    code("ALM-B027", "the policy that validates pull requests is missing",
        "The profile has a validation stage, so a pull request into the branch waits for a build of it. The branch \
         has no such policy, or it is disabled or does not block: the pull request would go through unchecked. A \
         save of the solution makes the pipelines and the policy, also when nothing changed."),
    code("ALM-B030", "no such repository",
        "`alm.toml` has no repository of this name."),
    code("ALM-B031", "the repository's host is missing",
        "`alm.toml` has no host of the name that the repository gives. Add it under `[hosts]`."),
    code("ALM-B032", "a host of a kind that cannot be worked with",
        "This version works with Azure DevOps organisations."),
    code("ALM-B033", "the repository has no project",
        "Azure DevOps keeps repositories in projects. Give the repository a `project`."),
    code("ALM-B034", "a file that is not text",
        "The file of the branch is not UTF-8. `read_bytes` reads it."),
    code("ALM-B035", "no such folder on the branch",
        "The branch has no files below that folder."),
    code("ALM-B036", "a commit is not a branch",
        "Only a branch can be committed to. Get it with `repository.branch(name)`."),
    code("ALM-B037", "a commit's options do not fit together",
        "The message says which."),
    code("ALM-B038", "a pipeline that is not as a profile says",
        "Which script a pipeline runs, where, and what starts it stands in the profiles of `alm.toml`. A pipeline \
         or a build that says something else is refused; `alm agent` would refuse it too. A profile of one's own \
         is added to `alm.toml`."),
    code("ALM-B039", "a decision is not in the audit log",
        "The git host has done what was asked, and `.alm/history.sqlite` could not be written. `alm audit` does not \
         have it."),
    code("ALM-C001", "the command line names something that does not exist",
        "Check the spelling; the message shows the nearest known name where there is one."),
    code("ALM-C002", "a file or folder cannot be read or written",
        "The message names the path and what the operating system said. Nothing was changed."),
    code("ALM-C003", "an option that is not supported",
        "The option exists in `pac` and has no counterpart here; the hint says what to use instead."),
    code("ALM-C004", "a parameter is called as an option",
        "A script's parameter has the name of an option that every run has, such as `timeout`, so it cannot \
         be given on the command line. Rename it in the script."),
    code("ALM-C006", "the pull request is not ready",
        "A policy of the target branch is not met yet. `alm pr show` says which; `--when-ready` completes \
         the pull request by itself."),
    code("ALM-C007", "the pull request is not open",
        "It was completed or abandoned, or its branches could not be merged."),
    code("ALM-C008", "the output cannot be written",
        "The disk is full, or the output was closed. What the command does was done; only what it had to say is \
         lost. A reader that goes away (`| head`) is no error."),
    code("ALM-C015", "the story needs an environment",
        "The story of `alm demo` works with the environments of the example workspace."),
    code("ALM-C016", "the story was refused",
        "A request that the story made as a maker was refused. That is a defect of this program."),
    code("ALM-C017", "the story went wrong",
        "What the story claims is not what the emulated tenant or the repository holds. That is a defect of \
         this program."),
    code("ALM-D001", "a file of the deployment cannot be read",
        "A settings or data file is damaged or of an unknown encoding."),
    code("ALM-D002", "a settings file is not JSON",
        "The message has line and column of the first mistake."),
    code("ALM-D003", "a setting of the wrong kind",
        "A settings file has a value that cannot be used at the place shown."),
    code("ALM-D004", "a token has no value",
        "A settings file has `#{name}#` and the stage has no variable of that name. AA4PP would silently \
         have put nothing there. Add the variable to the stage in `alm.toml`."),
    code("ALM-D005", "no such solution in the source",
        "No folder of the repository holds that solution's `SolutionPackage`. The message lists those that \
         were found."),
    code("ALM-D006", "no such settings",
        "The stage's `settings`, or `--configuration`, names a folder under the solution's `config` that the source \
         does not have. Nothing was done: a release without its settings would leave connections and values as they \
         are. Settings for all targets lie in `config` itself."),
    code("ALM-D010", "no profile is chosen",
        "The workspace has several profiles. Name one with the parameter, or set `default_profile` in \
         `alm.toml`."),
    code("ALM-D011", "no such profile",
        "`alm.toml` has no profile of this name, or the persona does not see it."),
    code("ALM-D012", "no such stage",
        "The profile has no stage of this name."),
    code("ALM-D013", "the source cannot be used",
        "The primitive takes a branch or a source tree."),
    code("ALM-D014", "settings cannot be kept",
        "The settings that a step ended with cannot be written to the journal or read back. Start the run \
         anew."),
    code("ALM-D020", "a missing dependency",
        "The package needs a component that the target does not have. Install the solution that has it \
         first."),
    code("ALM-D021", "a setting without a value",
        "The entry is in the settings file but empty, so it is left as it is in the target."),
    code("ALM-D022", "the environment objects to the package",
        "The environment checked the package before the import and reported this."),
    code("ALM-D023", "a connection is not shared",
        "The connection exists but the identity of the run may not use it, so flows with it cannot be \
         turned on. Its owner shares it."),
    code("ALM-D024", "a connection does not exist",
        "The settings name a connection that the target does not have. Connections are made by people; make \
         it there and write its id into the settings."),
    code("ALM-D025", "an owner is no user of the target",
        "The settings give a flow or app to somebody whom the environment does not know."),
    code("ALM-D026", "a team does not exist",
        "The settings share something with a team that the target does not have and that the settings do \
         not make."),
    code("ALM-E001", "the environment refused a request",
        "The message has the service's own words, code and status."),
    code("ALM-E002", "not allowed in the environment",
        "The identity that `alm.toml` names lacks a security role there, or is not a user of the \
         environment at all."),
    code("ALM-E003", "not found in the environment",
        "The environment has no such row or table."),
    code("ALM-E004", "another solution operation is running",
        "Dataverse runs one import, publish or uninstall at a time. It was tried again for a while without \
         success."),
    code("ALM-E005", "an answer that cannot be read",
        "The environment answered something that does not fit its own documentation."),
    code("ALM-E006", "not a name",
        "The text cannot be a name of a table, column or action."),
    code("ALM-E007", "an operation takes too long",
        "The operation did not end within its time limit. It may still be running in the environment; look \
         there before trying again."),
    code("ALM-E008", "a job of the environment failed",
        "An asynchronous operation ended as failed. The message has its own words."),
    code("ALM-E009", "an import failed",
        "The report in the details lists what each component said."),
    code("ALM-E010", "missing dependencies",
        "The solution needs components that the environment does not have. Install the solutions that have \
         them first."),
    code("ALM-E011", "no such solution in the environment",
        "Solutions are named by their unique name, never by their display name."),
    code("ALM-E012", "no upgrade waits",
        "There is no holding solution beside the installed one, so there is nothing to apply."),
    code("ALM-E013", "still in use",
        "Something else depends on what should be deleted. The details list it."),
    code("ALM-E014", "no such thing in the environment",
        "A flow, app, team, user, connection or variable of this name does not exist there."),
    code("ALM-E015", "several things have the name",
        "The name is not enough to say which is meant; use the id."),
    code("ALM-E016", "a connection is not shared",
        "The connection belongs to somebody and the identity of this run may not use it. Its owner shares \
         it with the identity."),
    code("ALM-E017", "a value that cannot be used",
        "The value does not fit the setting."),
    code("ALM-E018", "a flow stays off",
        "The environment refused to turn the flow on: a connection is missing, or a child flow is off."),
    code("ALM-E019", "flows call each other in a circle",
        "They cannot be turned on in any order."),
    code("ALM-E020", "configuration data that cannot be read",
        "The archive or one of its files is not in the format of the Configuration Migration Tool."),
    code("ALM-E021", "rows that could not be written",
        "Some rows of the configuration data were refused. The details list each with its reason."),
    code("ALM-E022", "rows of something that is no table",
        "Rows are written to tables, by the name of their set (`accounts`). What the Web API calls an action or \
         a function, such as `ImportSolution` or `PublishAllXml`, has a primitive of its own; so have \
         definitions."),
    code("ALM-E023", "the effect of a row",
        "A row may hold plain values and point to one other row (`\"ownerid@odata.bind\"`). Rows inside rows \
         would be written to other tables unseen; write them one by one."),
    code("ALM-E030", "no environment is chosen",
        "The workspace has several development environments. Name one with the parameter, or set \
         `development` in `alm.toml`."),
    code("ALM-E031", "no such environment",
        "`alm.toml` has no environment of this name."),
    code("ALM-P001", "not a zip archive",
        "A solution package is a zip file, and this is none, or its directory at the end is missing. Usual \
         causes: an HTML sign-in page that was saved as a download, a download that was cut off, two files \
         joined into one, or git's line-end conversion (mark `*.zip` as binary in `.gitattributes`). Export \
         or fetch the package again."),
    code("ALM-P002", "an unsafe name in the archive",
        "The name would lead out of the folder (`..`, an absolute path, a drive), or not every file system \
         can hold it: Windows refuses `< > : \" | ? *`, control characters, a dot or space at the end, and \
         device names such as `CON` or `aux.json`. Or some file system takes it for git's own folder (`.git`, \
         `git~1` …), in which a file can make git run commands; or a script names a file in a source tree that \
         begins with a dot, which packagers pass over. Nothing was written. No tool of Microsoft's makes such a \
         package, so ask who made it; in a folder, rename the file. A component whose own name begins with a dot \
         is no mistake: its file begins with `%2E` and is read back as a dot."),
    code("ALM-P003", "a link",
        "Links are neither followed nor written, since they may lead anywhere. In a package this is an attack \
         or a mistake of the tool that zipped it. In a folder, put the file itself in the link's place, or \
         lead to it with a mapping file (`--map`)."),
    code("ALM-P004", "an encrypted entry",
        "Solution packages are never encrypted, so no password is asked for. Save the archive again without \
         one, or export the solution again."),
    code("ALM-P005", "two entries with one name",
        "The names are the same, or differ only in upper and lower case, or two components would become the \
         same file: `é` may be one character or two, and the Kelvin sign is a `K` to a file system. On Windows \
         one would silently overwrite the other. Rename one of the two components in \
         its environment and export again; in a folder, rename or remove one of the files."),
    code("ALM-P006", "too large",
        "The package or folder passes a limit that protects this machine from archive bombs: the number of \
         entries, the size of one or of all, how far a part inflates, or how deep XML nests. The limits are \
         some ten times what the largest known solutions need. If you know where the package comes from, \
         raise the limit: `--maxEntries`, `--maxPartSize`, `--maxTotalSize`, `--maxRatio`, `--maxXmlDepth`."),
    code("ALM-P007", "a damaged entry",
        "The bytes of the entry do not fit its check sum or its size, are compressed by a method that no \
         solution uses, or end too early. The file was damaged on its way or changed by hand. Fetch or export \
         the package again."),
    code("ALM-P008", "a missing part",
        "Every package has `solution.xml` and `customizations.xml` at its root. Often the files were zipped \
         together with the folder around them, or this is an archive of something else, such as the unpacked \
         source; pack that with `alm solution pack`."),
    code("ALM-P009", "not XML",
        "The file named is not well-formed XML, or has what a solution never has and what is refused for \
         safety: a document type, an entity, a character outside of XML 1.0, elements nested too deep. The \
         message has file and line. In a folder, look for merge markers or an edit gone wrong there."),
    code("ALM-P010", "the wrong package type",
        "Managed was asked for and unmanaged found, or the other way round, or the folder was unpacked from \
         one type only. Leave out `--packagetype` to take what is there, or export the solution as the other \
         type. A folder gives both only if it was unpacked with `--packagetype Both`."),
    code("ALM-P011", "a required file is missing",
        "The XML names a file at the place shown, and it is not there. Restore it from git, or remove the \
         component that names it. If it is the `.msapp` of a canvas app, an old tool has taken the app apart \
         (`--processCanvasApps`) and only that tool can rebuild it: export the solution again and keep the \
         `.msapp`."),
    code("ALM-P012", "a component that cannot be packed",
        "A component lacks what its place in the folder is made of, such as its name or id, or something \
         stands twice that may stand once. The message has file and line. Compare with the last version in \
         git, or export the component again."),
    code("ALM-P013", "not an unpacked solution",
        "The folder has no `Other/Solution.xml`, neither in itself nor in `SolutionPackage/src`, \
         `SolutionPackage` or `src`. Name the folder in which `Other` lies with `--folder`, or unpack a \
         package into it first."),
    code("ALM-P014", "an unknown layout",
        "The folder is laid out in a way that is recognised and cannot be used for this. The message says \
         which layout it is and what is not possible with it."),
    code("ALM-P015", "the solution cannot be packed",
        "Checks found mistakes that would make the import fail, so no package was written. Every finding \
         above has a code of its own, a file and a line; correct those that are errors. Warnings alone never \
         stop the packing."),
    code("ALM-P016", "not a version",
        "A version is two to four numbers with dots, such as `1.0.20260401.3`. Letters, spaces and dashes \
         have no place in it."),
    code("ALM-P017", "an unusable manifest",
        "`solution.xml` lacks something that every solution has: the unique name, the version, the publisher, \
         or whether it is managed. Restore the file from git or export the solution again."),
    code("ALM-P018", "an unusable mapping file",
        "The file given with `--map` is no mapping, a directive in it lacks `map` or `to`, or a `%VARIABLE%` \
         in it is not set. The message has file and line. Its root is `<Mapping>` with `<Folder>`, \
         `<FileToFile>` and `<FileToPath>` inside."),
    code("ALM-P019", "a file cannot be read or written",
        "The message names the file and what the operating system said, such as a full disk or missing \
         rights. Whatever was to be written is as it was before: either all files are written or none. \
         Correct the cause and run the command again."),
    code("ALM-P020", "a file may not be overwritten",
        "Files that would change are read-only in the target folder, and nothing was written. Some source \
         control systems make files read-only until they are checked out. Check them out, make them writable, \
         or allow overwriting with `--clobber`."),
    code("ALM-P021", "another process is writing into the folder",
        "Two commands write into one folder at the same time. This one waited some seconds and gave up; nothing was \
         changed. Wait for the other one, or end it; what it had begun is undone by the next command."),
    code("ALM-P031", "a YAML file that cannot be read",
        "A file of the YAML layout is not YAML or not UTF-8, mirrors no XML, or uses what no tool writes there: \
         anchors, aliases, tags, several documents, doubled keys. The message has file and line."),
    code("ALM-P032", "which solution of the folder",
        "A folder in the YAML layout can hold several solutions under `solutions/`. Name one with `--solutionName`, as \
         with `/SolutionName` of SolutionPackager."),
    code("ALM-P033", "no form in the YAML layout",
        "Microsoft documents the YAML layout for tables, columns, forms, views, relationships, choices, roles, \
         workflows and flows, web resources, apps with their site maps, canvas apps, dashboards, connectors, plug-in \
         assemblies and steps, and environment variables. The solution has something else, or an element that YAML \
         cannot mirror without changing an order that may matter. Nothing was written; every finding names one kind. \
         `--undocumented` writes such kinds by the pattern of the others."),
    code("ALM-P034", "neither a file nor a folder",
        "A named pipe, a device or a socket stands where a file belongs. Reading a pipe waits for ever and a device \
         has no end, so neither is opened; nothing was read or written. Take it away."),
    code("ALM-P101", "a part left out while unpacking",
        "The part lies in a folder that belongs to a kind of component, but no component of the package names \
         it, or in `Other/` or `Resources/`. Microsoft's packager drops such parts without a word. If you \
         need its content, keep the package itself."),
    code("ALM-P102", "a part of the root left out",
        "Only `solution.xml`, `customizations.xml` and `[Content_Types].xml` of a package's root have a place \
         in a folder. Other parts there, such as `filteredcomponents.xml` of older exports, are not packed \
         again, and no import misses them."),
    code("ALM-P103", "an unmodified component left out",
        "The component is marked as `unmodified` and names no file, which an export does for something that \
         it only refers to. It has no place in a folder and is not packed again, as with Microsoft's \
         packager."),
    code("ALM-P104", "a file that an older packager dropped",
        "The component names a file that is not there, which Microsoft's packager up to 9.1.1 had dropped \
         (`AdditionalUris` of canvas apps). The app works without it. Unpack a fresh export to have it in \
         source control."),
    code("ALM-P105", "components that stay where they are",
        "One of the components lacks what would name its file, so the whole collection stays in the file \
         around it, byte for byte, and is packed from there. Nothing is lost; a diff of it is only less \
         convenient."),
    code("ALM-P106", "a component that stands twice",
        "The package has the component twice with the same content. One of them is kept, so nothing is lost. \
         Had they differed, the package would have been refused."),
    code("ALM-P107", "a part that is not declared",
        "`[Content_Types].xml` does not declare a type for the part, so Microsoft's readers do not see it and \
         an import leaves it out. Here it is unpacked all the same, and packing declares it: the new package \
         then has a part that the old one only seemed to have. Look at the file before you import."),
    code("ALM-P110", "two different versions",
        "The two packages that were unpacked together are not of the same version, so they were probably not \
         exported at the same time. The folder then mixes two states. Export both again, one after the other \
         without a change in between."),
    code("ALM-P111", "only in the managed package",
        "When both packages are unpacked into one folder, the unmanaged one is the source: what only the \
         managed one has is left out. Usually the managed package is older or newer; export both again."),
    code("ALM-P112", "the managed package differs",
        "The component is not the same in both packages, and a folder has one place for it. The form of the \
         unmanaged package is kept, as with Microsoft's packager. If they should not differ, export both \
         again."),
    code("ALM-P113", "the managed package differs and wins",
        "The component is not the same in both packages, and a folder has one place for it. The managed form \
         has overwritten the unmanaged one, as with Microsoft's packager, so a pack of the unmanaged solution \
         has it too. If they should not differ, export both again."),
    code("ALM-P120", "a required file is missing",
        "A component names a file that the folder does not have: a flow's definition, a web resource, an \
         assembly, a part of an app. Restore the file from git, or remove the component with its root \
         component."),
    code("ALM-P121", "a component without root component",
        "The folder has a component that the manifest (`Other/Solution.xml`) does not list as a root \
         component, so the import would refuse or ignore it. Add a `RootComponent` for it, or remove its \
         files; often a merge took one and not the other."),
    code("ALM-P122", "a root component without component",
        "The manifest (`Other/Solution.xml`) lists a root component of which the folder has no files. An \
         import fails if the target does not have it already. Restore the files, or remove the \
         `RootComponent`. For forms inside tables and for a few rare kinds this is normal."),
    code("ALM-P123", "a folder that nothing names",
        "The folder belongs to a kind of component whose element `Other/Customizations.xml` does not have, so \
         nothing in it is packed. Add the empty element, such as `<Roles />`, where it belongs, or remove the \
         folder."),
    code("ALM-P124", "a file that nothing names",
        "No component names the file, so it does not go into the package. A file of notes or a left-over of a \
         deleted component is a usual cause. Remove it, or keep it elsewhere."),
    code("ALM-P125", "only the managed form exists",
        "Only a file ending in `_managed.xml` is there, so an unmanaged package has nothing to take and the \
         component is left out of it. Unpack with `--packagetype Both` to have both forms."),
    code("ALM-P126", "there is no managed form",
        "There is no file ending in `_managed.xml`, and the plain one may not be used in its place, so the \
         component is left out of the managed package. Allow it with `--useUnmanagedFileForMissingManaged`, \
         or unpack with `--packagetype Both`."),
    code("ALM-P127", "a table without `Entity.xml`",
        "A folder below `Entities/` has no `Entity.xml`, so the table in it is left out of the package. \
         Restore the file, or remove the folder if the table was deleted."),
    code("ALM-P128", "files without their element",
        "Files of forms, views or charts are there, but `Entity.xml` lacks the empty element that takes them \
         (`<FormXml />`, `<SavedQueries />`, `<Visualizations />`), so they are left out. Microsoft's \
         packager does the same silently. Add the element, or remove the files."),
    code("ALM-P129", "a missing formula",
        "A calculated or rollup column names a formula whose file is not in the table's `Formulas/` folder, \
         so the package lacks it and an import may fail. Restore the file from git."),
    code("ALM-P130", "a relationship that is only listed",
        "`Other/Relationships.xml` lists the relationship and no file below `Other/Relationships/` has it in \
         full, so only its name goes into the package, as with Microsoft's packager. Restore the full \
         element, or take the name off the list."),
    code("ALM-P131", "a relationship that is not listed",
        "A file below `Other/Relationships/` has the relationship in full, but `Other/Relationships.xml` does \
         not list it, so it is left out of the package. Microsoft's packager drops it silently. Add it to the \
         list, or remove the element; often a merge took one and not the other."),
    code("ALM-P132", "a template without text",
        "The text of an e-mail or article template lies in a file of its own below `Templates/`, and that \
         file is missing. The template is packed with an empty text. Restore the file from git."),
    code("ALM-P133", "an assembly was renamed",
        "The assembly in the folder, or where the mapping file leads, was built again with another version, \
         key or culture. The package names it everywhere as the file does: in the list of assemblies and \
         their types, in steps and in classic workflows. The files of the folder stay. `--disablePluginRemap` \
         turns this off, and the import would then fail."),
    code("ALM-P134", "an unmodified form left out",
        "The form is marked as `unmodified` in the unmanaged files and has no managed form, so a managed \
         package has nothing to say about it. Nothing is lost."),
    code("ALM-P140", "an unknown directive in the mapping file",
        "A mapping file knows `Folder`, `FileToFile` and `FileToPath`, spelled like this. Anything else in it \
         is ignored, as by Microsoft's packager; check the spelling."),
    code("ALM-P141", "a mapped file does not exist",
        "The mapping file leads to a file that is not there, often because the project was not built yet. The \
         file in the folder is used in its place, if there is one. Build first, or correct the path: relative \
         ones begin at the unpacked folder."),
    code("ALM-P142", "a write that was cut off has been undone",
        "An earlier command was killed while it moved files into this folder, so that old and new ones were mixed. \
         What it had done was undone before anything else. A file that somebody has changed since is named and stays as \
         it is, which may be between the two states: compare it with your source control."),
    code("ALM-P151", "a part is missing",
        "The package has no such part, so the components that it should hold cannot be read. Export the \
         solution again."),
    code("ALM-P152", "a part is not XML",
        "The part should be XML and is not well formed, so the components in it cannot be read. The message \
         says where it breaks. Export the solution again, or correct the part."),
    code("ALM-P153", "a component without key",
        "A component has neither the id nor the name that its kind is known by, so it cannot be told from \
         others of its kind. The package was probably edited by hand; export the solution again."),
    code("ALM-P154", "a component comes twice",
        "The package has two components of one kind with one id or name, so one of them would be lost. The \
         package was probably put together by hand or by a merge; remove one of them."),
    code("ALM-P155", "a definition is not XML",
        "The definition of the component is not well-formed XML, so it cannot be taken apart. The message \
         says what it is. Export the component again, or correct the definition."),
    code("ALM-P161", "no such component",
        "The package or folder does not have the component that should be changed. Names are compared without \
         case and braces; `components()` in a script and `alm solution info` list what there is."),
    code("ALM-P162", "a component has no such property",
        "Its kind has no such property, or its definition has no such place. Elements with others inside cannot be \
         given a text."),
    code("ALM-P163", "a file that can only be read",
        "The XML is not in UTF-8, as all files of a solution are. Save it as UTF-8 before changing it."),
    code("ALM-P170", "labels without a name in resource files",
        "How SolutionPackager names the labels of charts, dashboards' fields, the classic site map, descriptions of \
         options and pass-through parts is not known (the last by a hash of 64 digits). They are not in the resource \
         files; the XML keeps them, as it keeps all labels."),
    code("ALM-P171", "one name for two texts",
        "Resource files name the areas of two apps' site maps alike if their ids are alike. Extraction writes the \
         first text; when packing, an edit of such a text is not merged, for it is not known which one is meant."),
    code("ALM-P172", "no template for translators",
        "`--sourceLoc` names a language in which the solution has no texts. The other files are written."),
    code("ALM-P173", "translated texts that stand for nothing",
        "A resource file has texts whose names fit no label in the folder: the component was deleted, another tool \
         named them in a way that is not known (`100000:…` with 64 digits), or the name was edited. They are not \
         merged; all others are."),
    code("ALM-P174", "an unusable resource file",
        "With `--localize` every `Resources/<culture>/resources.<culture>.resx` is merged. This one is not XML, or \
         neither its entry `Source LCID` nor its folder says which language it is. Nothing was packed."),
    code("ALM-P180", "listed, but not there",
        "`solutioncomponents.yml` lists a component that has no files in the folder (for a table: no `entity.yml`). As \
         with Microsoft's packager it is left out and packing succeeds; restore the files or take it off the list."),
    code("ALM-P181", "files that no solution lists",
        "In the YAML layout a listed table does not bring its forms, views and ribbon along; each of them, or their \
         folder, must be in `solutioncomponents.yml` too. These files are in no list and are left out."),
    code("ALM-P182", "a form that is not documented",
        "How this kind of component looks in the YAML layout is published nowhere. Reading takes what follows the \
         pattern of the other kinds; writing refuses it unless `--undocumented` is given."),
    code("ALM-P183", "the list of languages is not kept",
        "The YAML layout has no place for a package's list of languages. Packing lists the languages of the labels and \
         the solution's own; this package listed others."),
    code("ALM-P184", "no place in the YAML layout",
        "Comments in the XML, parts at the root of a package and parts that no component names have no place there. \
         They are left out; none of them has a meaning for an import."),
    code("ALM-P185", "a YAML file that is not understood",
        "A listed file stands in a folder of components but holds something else than such a component. It is left \
         out; every other file is packed."),
    code("ALM-P201", "an unknown rule",
        "The normalisation has no rule of that name. `alm solution normalise --list` shows all of them and \
         what each does."),
    code("ALM-P210", "a likely secret in the source",
        "A value has the form of a secret, or a name that promises one. Everybody who can read the \
         repository or export the solution has it. Keep it in an environment variable of the type secret \
         (Azure Key Vault) or in the connection, and make a new one: what was committed stays in the \
         history."),
    code("ALM-P211", "larger than a service allows",
        "A flow, a variable or a web resource passes a limit of the Power Platform, so the import would fail \
         or the flow could not be turned on. Split the flow into child flows, or make the file smaller; the \
         message has the limit."),
    code("ALM-P212", "a name that a service or Windows refuses",
        "The name of a step, solution or publisher breaks a rule of the Power Platform, or a path is too long \
         for Windows. Rename it in its environment and export again; for a long path, unpack into a folder \
         nearer to the root of the drive."),
    code("ALM-P220", "a finding of the app checker",
        "Power Apps Studio wrote it into the canvas app when the app was last saved. Open the app, correct \
         what is named and save."),
    code("ALM-P221", "an unreadable canvas app",
        "The .msapp is no readable archive. Export the solution again; a git setting that converts line \
         ends may have damaged it."),
    code("ALM-P222", "a canvas app is not taken apart",
        "`--processCanvasApps` asked older tools to take each app apart and to rebuild it from the pieces. Microsoft \
         deprecated that. Here the `.msapp` stays one file, which is what is packed again; its YAML is copied \
         beside it into `CanvasApps/<app>_src/` for reading. Leave the option out, or say `--mirrorCanvasApps`."),
    code("ALM-P223", "a canvas app is packed as it is",
        "`--processCanvasApps` has no effect on packing: the `.msapp` in the folder goes into the package. What lies \
         beside it is for reading and is never packed."),
    code("ALM-R001", "the history cannot be used",
        "The file `.alm/history.sqlite` cannot be opened, read or written."),
    code("ALM-R002", "the state folder cannot be written",
        "A file under `.alm` could not be written; the disk may be full."),
    code("ALM-R003", "a newer version's history",
        "A newer version of the program wrote the history. Use that one, or move `.alm` away."),
    code("ALM-R004", "no such run",
        "`alm history` lists the runs."),
    code("ALM-R005", "the run is still going on",
        "It must end before it can be resumed or answered."),
    code("ALM-R006", "the run succeeded",
        "There is nothing left to resume."),
    code("ALM-R007", "what the run began with is not on record",
        "A resumed run goes on with the texts that were recorded when it began. These are missing or damaged: \
         start it anew."),
    code("ALM-R008", "the run does not wait",
        "Only a run that waits for somebody can be approved."),
    code("ALM-R009", "an artifact is gone or damaged",
        "The file in `.alm/artifacts` is not what it was. Start the run anew."),
    code("ALM-R010", "the persona has no such script",
        "`alm.toml` does not give the script to this persona."),
    code("ALM-R011", "the host refused",
        "A part of the program refused to start the run. The message has the reason."),
    code("ALM-R012", "the time limit was over",
        "The run took longer than `--timeout` or `[limits] time` allows and was stopped. Finished steps are \
         kept."),
    code("ALM-R013", "the run broke off inside the host",
        "A mistake of this program. The run's record helps to find it: `alm show RUN --json`."),
    code("ALM-R014", "the run was cancelled",
        "Somebody pressed Ctrl-C. Finished steps are kept; `alm run --resume RUN` goes on after them."),
    code("ALM-R020", "a file cannot be watched",
        "The file or folder is gone, or the system does not let it be watched."),
    code("ALM-R021", "no files can be watched",
        "The system has no more watches to give. On Linux, raise `fs.inotify.max_user_watches`, or use \
         `--poll 1s`."),
    code("ALM-R022", "changes are no longer told",
        "The system stopped telling about changes, so the watch ended rather than miss one."),
    code("ALM-R030", "a build that its profile does not allow",
        "The agent holds every build against the profile: the script of its stage, the stage's branch, a commit that \
         a validated pull request brought there, and the approval that the git host has on record. What a pipeline \
         or the parameters of a build say instead counts for nothing. Nothing was run."),
    code("ALM-R031", "somebody else's run",
        "A run is resumed by whoever began it, or by somebody who may approve in its repository. It always goes on \
         with the rights of whoever began it, never with those of the person who resumes it."),
    code("ALM-R032", "a value that the persona may not choose",
        "The run was begun with another value than the persona's rules fix today. Start it anew."),
    code("ALM-R033", "a secret parameter must be given again",
        "Parameters whose name says that they are secrets (`password`, `api_token`) are never kept. Give them again \
         when you resume: `alm run NAME --resume N --password …`."),
    code("ALM-R034", "a step ended with a secret",
        "What a step ends with is kept, so that a resumed run need not repeat it; a secret is not kept. End the step \
         with something else and read the secret where it is used."),
    code("ALM-R035", "an approval is a person's",
        "Say who you are: `--identity NAME`, or a persona that has an identity in alm.toml."),
    code("ALM-R036", "the run waits for others",
        "Whoever asked for the approval named who may give it; `alm show N` lists them."),
    code("ALM-R037", "one's own run",
        "Whoever began a run does not approve it, unless the script asked with `self_approval: true`."),
    code("ALM-R038", "a resumed run keeps its parameters",
        "Only secrets are given again when a run is resumed. Start it anew to change a parameter."),
    code("ALM-R039", "the audit log was changed",
        "Each entry of `alm audit` has a digest over itself and the entry before. `--verify` found one that does not \
         fit, or not the one that you know. Nothing that `alm` does changes or removes an entry."),
    code("ALM-S001", "unknown script",
        "`alm scripts` lists the scripts that there are for your persona. They are looked for in the \
         persona's folder, the workspace and the bundle."),
    code("ALM-S002", "a script cannot be read",
        "The file is there, but the operating system does not let it be read."),
    code("ALM-S003", "not a script's name",
        "Names have letters, digits, `-` and `_`, with `/` between folders, and never lead out of the \
         workspace."),
    code("ALM-S004", "unknown module",
        "A module is `std/…`, or a file in the workspace's `scripts` folder without `.rhai`."),
    code("ALM-S005", "a function of the host is taken",
        "A script may not define a function that would displace one of the host. Give it another name."),
    code("ALM-S006", "a group of the host is taken",
        "An import may not be called as a group of the host, such as `environment`. Choose another name \
         behind `as`."),
    code("ALM-S007", "modules import each other",
        "The message shows the circle."),
    code("ALM-S010", "the script cannot be parsed",
        "The lines around the place are shown. Rhai reserves words such as `import`, `new` and `match`."),
    code("ALM-S011", "the script failed",
        "The lines around the place and the calls that led there are shown."),
    code("ALM-S012", "the script used too much",
        "It ran into one of the limits on operations, nesting or sizes; see `[limits]` in `alm.toml`. An \
         endless loop is the usual cause."),
    code("ALM-S013", "the script gave up",
        "The script itself ended the run with this message."),
    code("ALM-S014", "a step's result cannot be kept",
        "A step ends with plain data, a package or a tree, so that a resumed run need not repeat it."),
    code("ALM-S015", "a kept result cannot be read back",
        "It was written by another version of the program. Start the run anew."),
    code("ALM-S016", "unknown function",
        "The message shows functions of a similar name, or the types that the function takes."),
    code("ALM-S017", "unknown variable",
        "The message shows the nearest known name. Functions do not see variables outside; pass them."),
    code("ALM-S018", "not inside a run",
        "The function needs a run and was called by an engine without one."),
    code("ALM-S019", "unknown property",
        "The value has no such property; the message shows what it has."),
    code("ALM-S020", "unknown option",
        "The map of options has a key that the function does not know."),
    code("ALM-S021", "an option's value cannot be used",
        "The message says which and why."),
    code("ALM-S022", "an option is missing",
        "The function cannot work without it."),
    code("ALM-S030", "a wrong declaration",
        "A `@param` line at the top of the script is written as `//! @param name type = default  help`."),
    code("ALM-S031", "a parameter is missing",
        "`alm run NAME --help` shows what a script takes."),
    code("ALM-S032", "a parameter of the wrong type",
        "The message says what was expected."),
    code("ALM-S033", "unknown parameter",
        "The message shows the nearest known one."),
    code("ALM-S034", "a parameter that is not yours to choose",
        "The persona hides or fixes it."),
    code("ALM-S035", "a parameter names something unknown",
        "`alm.toml` has no environment, profile or stage of that name."),
    code("ALM-S050", "a path that leads outside",
        "Scripts read and write files inside their workspace only."),
    code("ALM-S051", "not a text file",
        "The file is not UTF-8 text."),
    code("ALM-S052", "a value that has no JSON form",
        "The value cannot be written down."),
    code("ALM-S053", "a file cannot be used",
        "The message names the file and what the operating system said."),
    code("ALM-S054", "no such kind of component",
        "Kinds are called as people call them (`table`, `cloud flow`, `security role`), as Dataverse does \
         (`workflow`, `systemform`), or by their number."),
    code("ALM-S055", "several components have this name",
        "A display name need not be unique. Name the component by its key, its id or its schema name."),
    code("ALM-S056", "a value that is too deep or too large",
        "What leaves a script (the result of a step or of the run, a parameter, a request) may be nested \
         100 levels deep and hold two million values. A script that puts a list into itself in a loop \
         is the usual cause."),
    code("ALM-T001", "no answer from a service",
        "No connection could be made, or it broke before the whole answer was there. The address comes from \
         `alm.toml`. A run that ended here can be resumed with `alm run --resume RUN`."),
    code("ALM-T002", "cancelled",
        "Somebody pressed Ctrl-C, or the run's time limit is over."),
    code("ALM-T003", "no sign-in",
        "No token could be had. Check the identity that `alm.toml` names for the environment or host, that \
         its secret is there and not expired, and that it is a user of the environment."),
    code("ALM-T004", "nothing there",
        "There is nothing behind the address that could answer, such as an emulated tenant whose folder was \
         deleted."),
    code("ALM-W001", "no workspace",
        "A workspace is a folder with an `alm.toml`. `alm` looks in the current folder and those above it, \
         or in the one that `--workspace` or `ALM_WORKSPACE` names. `alm new DIR` makes one."),
    code("ALM-W002", "alm.toml cannot be read",
        "The file is there, but the operating system does not let it be read."),
    code("ALM-W003", "alm.toml is not TOML",
        "The file breaks the rules of the TOML language at the place shown, so nothing after it can be \
         trusted. Other mistakes are looked for once it can be read."),
    code("ALM-W004", "unknown key",
        "The key is not one that is known at this place. A key in the wrong table is unknown too: in TOML a \
         key belongs to the last `[table]` above it. `alm schema` prints all keys."),
    code("ALM-W005", "missing key",
        "An entry lacks something without which it cannot be used."),
    code("ALM-W006", "wrong kind of value",
        "A text, number, list or table stands where another kind was expected; texts need quotes, `true` \
         and `false` do not."),
    code("ALM-W007", "not one of the choices",
        "The key takes one of a few words, which the message lists."),
    code("ALM-W008", "value of the wrong form",
        "The value is of the right kind but not well formed: an address, an id, a length of time, a branch \
         or a name."),
    code("ALM-W009", "a name that leads nowhere",
        "An entry refers to an environment, identity, host, repository, profile, stage or persona that the \
         file does not have."),
    code("ALM-W010", "the same thing twice",
        "Two stages of a profile have one name, or two environments have one address, so it is not clear \
         which is meant."),
    code("ALM-W011", "stages wait for each other",
        "The prerequisites of a profile's stages go in a circle, so none of them could ever run."),
    code("ALM-W012", "keys that contradict each other",
        "Two keys of an entry exclude each other, or one needs another beside it."),
    code("ALM-W013", "a secret is not there",
        "`alm.toml` says where a secret is kept, and it is not there. Set the environment variable or write \
         the file."),
    code("ALM-W014", "a secret that others can read",
        "A file with a secret must be readable by its owner only."),
    code("ALM-W015", "unknown persona",
        "`--as`, `ALM_PERSONA` or `default_persona` names a persona that `alm.toml` does not have."),
    code("ALM-W016", "no persona was chosen",
        "The workspace has several personas. Say which with `--as` or `ALM_PERSONA`, or set \
         `default_persona`."),
    code("ALM-W017", "refused",
        "The persona or the workspace's policy does not allow this effect. The message names the line of \
         `alm.toml` that says so. The host asks before every effect, so a script cannot get around it."),
    code("ALM-W018", "unknown person",
        "`--identity` or a persona names an identity that is not a person: commits and branches need one."),
    code("ALM-W019", "the folder is not empty",
        "`alm new` only makes a workspace in a new or an empty folder, so that it never overwrites \
         anything."),
    code("ALM-W020", "the workspace cannot be made",
        "Writing a file of the new workspace failed. What was written can be deleted."),
    code("ALM-W021", "the example could not be filled",
        "The emulated tenant refused one of the requests that fill the example. That is a defect of this \
         program."),
    code("ALM-W022", "a person cannot sign in here",
        "People of a real tenant cannot sign in from a program without a browser. Name an application with \
         a secret, or a token, instead."),
    code("ALM-W023", "a persona of others",
        "`people` and `groups` of the persona in `alm.toml` say whose it is. `--as` chooses among one's own; \
         who one is says `--identity`, ALM_IDENTITY, or the persona's own `identity`."),
    code("ALM-X001", "no emulated tenant",
        "The workspace says `emulated = true`, but `.alm/tenant` does not have one. `alm new DIR --example` \
         makes a workspace with one."),
    code("ALM-X002", "there is an emulated tenant already",
        "It is never overwritten. Open it, or delete its folder to start again."),
    code("ALM-X003", "another version's emulated tenant",
        "Another version of the program wrote it. Delete the folder and make it again."),
    code("ALM-X004", "a wrong definition",
        "The definition of the emulated tenant contradicts itself or names something that it does not \
         define."),
    code("ALM-X005", "the emulated tenant cannot be written",
        "The message names the folder and what the operating system said."),
    code("ALM-X006", "the emulated tenant's database failed",
        "The disk is full, or the file is damaged or locked by a program that hangs."),
    code("ALM-X020", "the port is taken",
        "Another program listens there. Choose another with `--port`, or 0 for any that is free."),
    code("ALM-X021", "the server stopped",
        "The operating system closed its port. Start it again."),
];
