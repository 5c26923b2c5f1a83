//! Every row of the table of facts §4: where a component goes, what its file looks like to the
//! byte, what stays behind, and which parts packing makes of it.
//!
//! In the expected files `{S}` stands for the namespace that carved-out files repeat (facts §3).

use almscript::solution::{LineEnds, Package, UnpackOptions, unpack};

use crate::crafted::{XSI, customizations, names, package, packed, root, text, tree_of};

/// One row of the table.
#[derive(Clone)]
pub struct Row {
    /// The collection, as in the first column.
    pub name: &'static str,
    /// The collection in `customizations.xml`, without white space between elements.
    xml: &'static str,
    /// Root components, so that packing finds the list complete (facts §11).
    roots: Vec<(u32, &'static str)>,
    /// Parts of the package.
    parts: Vec<(&'static str, &'static str)>,
    /// Files of the folder, without mark and declaration where they are XML that was carved out.
    files: Vec<(&'static str, &'static str)>,
    /// What `Other/Customizations.xml` has for the collection.
    left: &'static str,
}

impl Row {
    /// The package that has this row's collection only.
    pub fn package(&self) -> Package {
        let roots: String = self
            .roots
            .iter()
            .map(|(kind, key)| root(*kind, key))
            .collect();
        let parts: Vec<(&str, &[u8])> = self
            .parts
            .iter()
            .map(|(name, data)| (*name, data.as_bytes()))
            .collect();
        package("0", self.xml, &roots, &parts)
    }
}

fn row(name: &'static str, xml: &'static str, left: &'static str) -> Row {
    Row {
        name,
        xml,
        roots: Vec::new(),
        parts: Vec::new(),
        files: Vec::new(),
        left,
    }
}

impl Row {
    fn root(mut self, component_type: u32, key: &'static str) -> Self {
        self.roots.push((component_type, key));
        self
    }

    fn part(mut self, name: &'static str, data: &'static str) -> Self {
        self.parts.push((name, data));
        self
    }

    fn file(mut self, path: &'static str, content: &'static str) -> Self {
        self.files.push((path, content));
        self
    }
}

/// All rows, in the order of the facts.
#[rustfmt::skip] // One row after the other, as in the table.
pub fn rows() -> Vec<Row> {
    vec![
        row("Entities",
            "<Entities><Entity><Name LocalizedName=\"Permit\" OriginalName=\"Permit\">pub_Permit</Name><ObjectTypeCode>10001</ObjectTypeCode>\
             <EntityInfo><entity Name=\"pub_Permit\"><attributes /></entity></EntityInfo></Entity></Entities>",
            "<Entities />")
            .root(1, "pub_permit")
            .file("Entities/pub_Permit/Entity.xml",
                "<Entity{S}>\n  <Name LocalizedName=\"Permit\" OriginalName=\"Permit\">pub_Permit</Name>\n  <ObjectTypeCode>10001</ObjectTypeCode>\n  \
                 <EntityInfo>\n    <entity Name=\"pub_Permit\">\n      <attributes />\n    </entity>\n  </EntityInfo>\n</Entity>"),
        row("Roles",
            "<Roles><Role id=\"{1}\" name=\"Clerk\"><RolePrivileges /></Role></Roles>",
            "<Roles />")
            .root(20, "{1}")
            .file("Roles/Clerk.xml", "<Role id=\"{1}\" name=\"Clerk\"{S}>\n  <RolePrivileges />\n</Role>"),
        row("Workflows",
            "<Workflows><Workflow WorkflowId=\"{1}\" Name=\"Send\"><JsonFileName>/Workflows/Send-AA.json</JsonFileName></Workflow>\
             <Workflow WorkflowId=\"{2}\" Name=\"Old\"><XamlFileName>/Workflows/Old-BB.xaml</XamlFileName></Workflow></Workflows>",
            "<Workflows />")
            .root(29, "{1}").root(29, "{2}")
            .part("Workflows/Old-BB.xaml", "<Activity />")
            .part("Workflows/Send-AA.json", "{}")
            .file("Workflows/Send-AA.json.data.xml",
                "<Workflow WorkflowId=\"{1}\" Name=\"Send\"{S}>\n  <JsonFileName>/Workflows/Send-AA.json</JsonFileName>\n</Workflow>")
            .file("Workflows/Old-BB.xaml.data.xml",
                "<Workflow WorkflowId=\"{2}\" Name=\"Old\"{S}>\n  <XamlFileName>/Workflows/Old-BB.xaml</XamlFileName>\n</Workflow>")
            .file("Workflows/Send-AA.json", "{}")
            .file("Workflows/Old-BB.xaml", "<Activity />"),
        row("FieldSecurityProfiles",
            "<FieldSecurityProfiles><FieldSecurityProfile name=\"Secret\" fieldsecurityprofileid=\"{1}\"><FieldPermissions /></FieldSecurityProfile></FieldSecurityProfiles>",
            "<FieldSecurityProfiles />")
            .root(70, "{1}")
            .file("Other/FieldSecurityProfiles.xml",
                "<FieldSecurityProfiles{S}>\n  <FieldSecurityProfile name=\"Secret\" fieldsecurityprofileid=\"{1}\">\n    <FieldPermissions />\n  \
                 </FieldSecurityProfile>\n</FieldSecurityProfiles>"),
        row("Templates",
            "<Templates><ContractTemplates><contracttemplate><name>c</name></contracttemplate></ContractTemplates>\
             <ArticleTemplates><t /></ArticleTemplates><MailMergeTemplates><t /></MailMergeTemplates><EmailSignatures><t /></EmailSignatures></Templates>",
            "<Templates />")
            .file("Templates/ArticleTemplates.xml", "<ArticleTemplates{S}>\n  <t />\n</ArticleTemplates>")
            .file("Templates/ContractTemplates.xml",
                "<ContractTemplates{S}>\n  <contracttemplate>\n    <name>c</name>\n  </contracttemplate>\n</ContractTemplates>")
            .file("Templates/EmailSignatures.xml", "<EmailSignatures{S}>\n  <t />\n</EmailSignatures>")
            .file("Templates/MailMergeTemplates.xml", "<MailMergeTemplates{S}>\n  <t />\n</MailMergeTemplates>"),
        row("ConnectionRoles",
            "<ConnectionRoles><ConnectionRoles><ConnectionRole><connectionroleid>{1}</connectionroleid></ConnectionRole></ConnectionRoles><ConnectionRoleAssociations /></ConnectionRoles>",
            "<ConnectionRoles />")
            .root(63, "{1}")
            .file("Other/ConnectionRoles.xml",
                "<ConnectionRoles{S}>\n  <ConnectionRoles>\n    <ConnectionRole>\n      <connectionroleid>{1}</connectionroleid>\n    \
                 </ConnectionRole>\n  </ConnectionRoles>\n  <ConnectionRoleAssociations />\n</ConnectionRoles>"),
        row("SiteMap",
            "<SiteMap><SiteMap IntroducedVersion=\"7.0.0.0\"><Area Id=\"a\"></Area></SiteMap></SiteMap>",
            "<SiteMap />")
            .root(62, "{d5684797-805b-4188-b8fa-1028cfbef003}")
            .file("Other/SiteMap.xml", "<SiteMap{S}>\n  <SiteMap IntroducedVersion=\"7.0.0.0\">\n    <Area Id=\"a\"></Area>\n  </SiteMap>\n</SiteMap>"),
        row("RibbonDiffXml",
            "<RibbonDiffXml><CustomActions /><Templates><RibbonTemplates Id=\"Mscrm.Templates\"></RibbonTemplates></Templates></RibbonDiffXml>",
            "<RibbonDiffXml />")
            .file("Other/RibbonCustomization.xml",
                "<RibbonDiffXml{S}>\n  <CustomActions />\n  <Templates>\n    <RibbonTemplates Id=\"Mscrm.Templates\"></RibbonTemplates>\n  </Templates>\n</RibbonDiffXml>"),
        row("EntityMaps",
            "<EntityMaps><EntityMap><EntitySource>account</EntitySource><EntityTarget>contact</EntityTarget><AttributeMaps /></EntityMap></EntityMaps>",
            "<EntityMaps />")
            .file("Other/EntityMaps.xml",
                "<EntityMaps{S}>\n  <EntityMap>\n    <EntitySource>account</EntitySource>\n    <EntityTarget>contact</EntityTarget>\n    \
                 <AttributeMaps />\n  </EntityMap>\n</EntityMaps>"),
        row("EntityRelationships",
            "<EntityRelationships><EntityRelationship Name=\"a_b\"><EntityRelationshipType>OneToMany</EntityRelationshipType>\
             <ReferencedEntityName>Account</ReferencedEntityName></EntityRelationship></EntityRelationships>",
            "<EntityRelationships />")
            .file("Other/Relationships.xml", "<EntityRelationships{S}>\n  <EntityRelationship Name=\"a_b\" />\n</EntityRelationships>")
            .file("Other/Relationships/Account.xml",
                "<EntityRelationships{S}>\n  <EntityRelationship Name=\"a_b\">\n    <EntityRelationshipType>OneToMany</EntityRelationshipType>\n    \
                 <ReferencedEntityName>Account</ReferencedEntityName>\n  </EntityRelationship>\n</EntityRelationships>"),
        row("optionsets",
            "<optionsets><optionset Name=\"pub_colour\" localizedName=\"Colour\"><options /></optionset></optionsets>",
            "<optionsets />")
            .root(9, "pub_colour")
            .file("OptionSets/pub_colour.xml", "<optionset Name=\"pub_colour\" localizedName=\"Colour\"{S}>\n  <options />\n</optionset>"),
        row("Dashboards",
            "<Dashboards><Dashboard><FormId>{1}</FormId><FormXml><forms type=\"dashboard\"><form /></forms></FormXml></Dashboard></Dashboards>",
            "<Dashboards />")
            .root(60, "{1}")
            .file("Dashboards/{1}.xml",
                "<Dashboard{S}>\n  <FormId>{1}</FormId>\n  <FormXml>\n    <forms type=\"dashboard\">\n      <form />\n    </forms>\n  </FormXml>\n</Dashboard>"),
        row("Dialogs",
            "<Dialogs><Dialog><FormId>{1}</FormId><UniqueName>u</UniqueName></Dialog></Dialogs>",
            "<Dialogs />")
            .root(60, "{1}")
            .file("Dialogs/{1}.xml", "<Dialog{S}>\n  <FormId>{1}</FormId>\n  <UniqueName>u</UniqueName>\n</Dialog>"),
        row("InteractionCentricDashboards",
            "<InteractionCentricDashboards><InteractionCentricDashboard><FormId>{1}</FormId></InteractionCentricDashboard></InteractionCentricDashboards>",
            "<InteractionCentricDashboards />")
            .root(60, "{1}")
            .file("InteractionCentricDashboards/{1}.xml", "<InteractionCentricDashboard{S}>\n  <FormId>{1}</FormId>\n</InteractionCentricDashboard>"),
        row("WebResources",
            "<WebResources><WebResource><WebResourceId>{1}</WebResourceId><Name>pub_/js/main.js</Name><FileName>/WebResources/pub_jsmainjs1</FileName></WebResource>\
             <WebResource><WebResourceId>{2}</WebResourceId><Name>pub_logo</Name><FileName>/WebResources/pub_logo2</FileName></WebResource></WebResources>",
            "<WebResources />")
            .root(61, "pub_/js/main.js").root(61, "pub_logo")
            .part("WebResources/pub_logo2", "PNG").part("WebResources/pub_jsmainjs1", "alert(1)")
            .file("WebResources/pub_/js/main.js", "alert(1)")
            .file("WebResources/pub_/js/main.js.data.xml",
                "<WebResource{S}>\n  <WebResourceId>{1}</WebResourceId>\n  <Name>pub_/js/main.js</Name>\n  <FileName>/WebResources/pub_jsmainjs1</FileName>\n</WebResource>")
            .file("WebResources/pub_logo", "PNG")
            .file("WebResources/pub_logo.data.xml",
                "<WebResource{S}>\n  <WebResourceId>{2}</WebResourceId>\n  <Name>pub_logo</Name>\n  <FileName>/WebResources/pub_logo2</FileName>\n</WebResource>"),
        row("CustomControls",
            "<CustomControls><CustomControl><Name>pub_My.Own.Control</Name><FileName>/Controls/pub_My.Own.Control/ControlManifest.xml</FileName></CustomControl></CustomControls>",
            "<CustomControls />")
            .root(66, "pub_My.Own.Control")
            .part("Controls/pub_My.Own.Control/ControlManifest.xml", "<manifest />")
            .part("Controls/pub_My.Own.Control/bundle.js", "1")
            .part("Controls/pub_My.Own.Control/css/a.css", "b{}")
            .part("Controls/pub_My.Own.Control/strings/My.1033.resx", "<root />")
            .file("Controls/pub_My.Own.Control/ControlManifest.xml", "<manifest />")
            .file("Controls/pub_My.Own.Control/ControlManifest.xml.data.xml",
                "<CustomControl{S}>\n  <Name>pub_My.Own.Control</Name>\n  <FileName>/Controls/pub_My.Own.Control/ControlManifest.xml</FileName>\n</CustomControl>")
            .file("Controls/pub_My.Own.Control/bundle.js", "1")
            .file("Controls/pub_My.Own.Control/css/a.css", "b{}")
            .file("Controls/pub_My.Own.Control/strings/My.1033.resx", "<root />"),
        row("SolutionPluginAssemblies",
            "<SolutionPluginAssemblies><PluginAssembly FullName=\"P, Version=1.0.0.0, Culture=neutral, PublicKeyToken=1\" PluginAssemblyId=\"1\">\
             <FileName>/PluginAssemblies/P-1/P.dll</FileName><PluginTypes><PluginType Name=\"P.T\" /></PluginTypes></PluginAssembly></SolutionPluginAssemblies>",
            "<SolutionPluginAssemblies />")
            .root(91, "P, Version=1.0.0.0, Culture=neutral, PublicKeyToken=1")
            .part("PluginAssemblies/P-1/P.dll", "MZ")
            .file("PluginAssemblies/P-1/P.dll", "MZ")
            .file("PluginAssemblies/P-1/P.dll.data.xml",
                "<PluginAssembly FullName=\"P, Version=1.0.0.0, Culture=neutral, PublicKeyToken=1\" PluginAssemblyId=\"1\"{S}>\n  \
                 <FileName>/PluginAssemblies/P-1/P.dll</FileName>\n  <PluginTypes>\n    <PluginType Name=\"P.T\" />\n  </PluginTypes>\n</PluginAssembly>"),
        row("SdkMessageProcessingSteps",
            "<SdkMessageProcessingSteps><SdkMessageProcessingStep Name=\"On create\" SdkMessageProcessingStepId=\"{1}\"><Stage>20</Stage></SdkMessageProcessingStep></SdkMessageProcessingSteps>",
            "<SdkMessageProcessingSteps />")
            .root(92, "{1}")
            .file("SdkMessageProcessingSteps/{1}.xml",
                "<SdkMessageProcessingStep Name=\"On create\" SdkMessageProcessingStepId=\"{1}\"{S}>\n  <Stage>20</Stage>\n</SdkMessageProcessingStep>"),
        row("ServiceEndpoints",
            "<ServiceEndpoints><ServiceEndpoint Name=\"Bus\" ServiceEndpointId=\"{1}\"><Url xsi:nil=\"true\" /></ServiceEndpoint></ServiceEndpoints>",
            "<ServiceEndpoints />")
            .root(95, "{1}")
            .file("PluginAssemblies/ServiceEndpoints.xml",
                "<ServiceEndpoints{S}>\n  <ServiceEndpoint Name=\"Bus\" ServiceEndpointId=\"{1}\">\n    <Url xsi:nil=\"true\" />\n  </ServiceEndpoint>\n</ServiceEndpoints>"),
        row("Reports",
            "<Reports><ReportSignatureIdMappings><ReportSignatureIdMapping reportid=\"{1}\" /></ReportSignatureIdMappings><Report><name>Sales</name><filename>Sales by month.rdl</filename><languagecode>1033</languagecode><reportid>{1}</reportid>\
             <ExportedFileName>/Reports/Salesbymonthrdl1.wdl</ExportedFileName></Report>\
             </Reports>",
            "<Reports />")
            .root(31, "{1}")
            .part("Reports/Salesbymonthrdl1.wdl", "<Report />")
            .file("Reports/1033/{1}/Sales by month.rdl", "<Report />")
            .file("Reports/1033/{1}/Sales by month.rdl.data.xml",
                "<Report>\n  <name>Sales</name>\n  <filename>Sales by month.rdl</filename>\n  <languagecode>1033</languagecode>\n  <reportid>{1}</reportid>\n  \
                 <ExportedFileName>/Reports/Salesbymonthrdl1.wdl</ExportedFileName>\n</Report>")
            .file("Reports/ReportSignatureIdMappings.xml",
                "<ReportSignatureIdMappings>\n  <ReportSignatureIdMapping reportid=\"{1}\" />\n</ReportSignatureIdMappings>"),
        row("AppModuleSiteMaps",
            "<AppModuleSiteMaps><AppModuleSiteMap><SiteMapUniqueName>pub_App</SiteMapUniqueName><SiteMap IntroducedVersion=\"1.0\" /></AppModuleSiteMap></AppModuleSiteMaps>",
            "<AppModuleSiteMaps />")
            .root(62, "pub_App")
            .file("AppModuleSiteMaps/pub_App/AppModuleSiteMap.xml",
                "<AppModuleSiteMap{S}>\n  <SiteMapUniqueName>pub_App</SiteMapUniqueName>\n  <SiteMap IntroducedVersion=\"1.0\" />\n</AppModuleSiteMap>"),
        row("AppModules",
            "<AppModules><AppModule><UniqueName>pub_App</UniqueName><URL xsi:nil=\"true\"></URL></AppModule></AppModules>",
            "<AppModules />")
            .root(80, "pub_App")
            .file("AppModules/pub_App/AppModule.xml",
                "<AppModule>\n  <UniqueName>pub_App</UniqueName>\n  <URL p2:nil=\"true\" xmlns:p2=\"http://www.w3.org/2001/XMLSchema-instance\"></URL>\n</AppModule>"),
        row("CanvasApps",
            "<CanvasApps><CanvasApp><Name>pub_app_1</Name><BackgroundImageUri>/CanvasApps/pub_app_1_BackgroundImageUri</BackgroundImageUri>\
             <DocumentUri>/CanvasApps/pub_app_1_DocumentUri.msapp</DocumentUri><AdditionalUris><AdditionalUri>/CanvasApps/pub_app_1_AdditionalUris0_identity.json</AdditionalUri>\
             </AdditionalUris></CanvasApp></CanvasApps>",
            "<CanvasApps />")
            .root(300, "pub_app_1")
            .part("CanvasApps/pub_app_1_BackgroundImageUri", "PNG")
            .part("CanvasApps/pub_app_1_DocumentUri.msapp", "PK")
            .part("CanvasApps/pub_app_1_AdditionalUris0_identity.json", "{}")
            .file("CanvasApps/pub_app_1.meta.xml",
                "<CanvasApp{S}>\n  <Name>pub_app_1</Name>\n  <BackgroundImageUri>/CanvasApps/pub_app_1_BackgroundImageUri</BackgroundImageUri>\n  \
                 <DocumentUri>/CanvasApps/pub_app_1_DocumentUri.msapp</DocumentUri>\n  <AdditionalUris>\n    \
                 <AdditionalUri>/CanvasApps/pub_app_1_AdditionalUris0_identity.json</AdditionalUri>\n  </AdditionalUris>\n</CanvasApp>")
            .file("CanvasApps/pub_app_1_BackgroundImageUri", "PNG")
            .file("CanvasApps/pub_app_1_DocumentUri.msapp", "PK")
            .file("CanvasApps/pub_app_1_AdditionalUris0_identity.json", "{}"),
        row("Connectors",
            "<Connectors><Connector><connectorid>1</connectorid><description></description><name>pub_5Fmy-20api</name>\
             <openapidefinition>/Connector/pub_5Fmy-20api_openapidefinition.json</openapidefinition><iconblob>/Connector/pub_5Fmy-20api_iconblob.Png</iconblob>\
             <customcodeblobcontent>/Connector/pub_5Fmy-20api_customcode.csx</customcodeblobcontent></Connector></Connectors>",
            "<Connectors />")
            .root(372, "pub_5Fmy-20api")
            .part("Connector/pub_5Fmy-20api_customcode.csx", "class Script")
            .part("Connector/pub_5Fmy-20api_iconblob.Png", "PNG")
            .part("Connector/pub_5Fmy-20api_openapidefinition.json", "{}")
            .file("Connectors/pub_5Fmy-20api.xml",
                "<Connector{S}>\n  <connectorid>1</connectorid>\n  <description></description>\n  <name>pub_5Fmy-20api</name>\n  \
                 <openapidefinition>/Connector/pub_5Fmy-20api_openapidefinition.json</openapidefinition>\n  <iconblob>/Connector/pub_5Fmy-20api_iconblob.Png</iconblob>\n  \
                 <customcodeblobcontent>/Connector/pub_5Fmy-20api_customcode.csx</customcodeblobcontent>\n</Connector>")
            .file("Connectors/pub_5Fmy-20api_customcode.csx", "class Script")
            .file("Connectors/pub_5Fmy-20api_iconblob.Png", "PNG")
            .file("Connectors/pub_5Fmy-20api_openapidefinition.json", "{}"),
        row("EntityDataProviders",
            "<EntityDataProviders><EntityDataProvider><EntityDataProviderId>{1}</EntityDataProviderId></EntityDataProvider></EntityDataProviders>",
            "<EntityDataProviders />")
            .file("EntityDataProviders/{1}.xml", "<EntityDataProvider{S}>\n  <EntityDataProviderId>{1}</EntityDataProviderId>\n</EntityDataProvider>"),
        row("EntityDataSources",
            "<EntityDataSources><EntityDataSource EntityDataSourceId=\"{1}\"><Name>VCP_DS_1</Name></EntityDataSource></EntityDataSources>",
            "<EntityDataSources />")
            .root(183, "{1}")
            .file("EntityDataSources/{1}.xml", "<EntityDataSource EntityDataSourceId=\"{1}\"{S}>\n  <Name>VCP_DS_1</Name>\n</EntityDataSource>"),
        row("MobileOfflineProfiles",
            "<MobileOfflineProfiles><MobileOfflineProfile Name=\"Field staff\" /></MobileOfflineProfiles>",
            "<MobileOfflineProfiles />")
            .file("MobileOfflineProfiles/Field staff.xml", "<MobileOfflineProfile Name=\"Field staff\"{S} />"),
        row("ChannelAccessProfiles",
            "<ChannelAccessProfiles><ChannelAccessProfile Name=\"Portal\" /></ChannelAccessProfiles>",
            "<ChannelAccessProfiles />")
            .file("ChannelAccess/Profiles/Portal.xml", "<ChannelAccessProfile Name=\"Portal\"{S} />"),
        row("ComplexControls",
            "<ComplexControls><ComplexControl><id>{1}</id></ComplexControl></ComplexControls>",
            "<ComplexControls />")
            .file("ComplexControls/{1}.xml", "<ComplexControl{S}>\n  <id>{1}</id>\n</ComplexControl>"),
        row("SLAs", "<SLAs><SLA><name>Gold</name></SLA></SLAs>", "<SLAs />")
            .file("SLAs/Gold.meta.xml", "<SLA{S}>\n  <name>Gold</name>\n</SLA>"),
        row("RoutingRules", "<RoutingRules><RoutingRule Name=\"To support\" /></RoutingRules>", "<RoutingRules />")
            .file("RoutingRules/To support.meta.xml", "<RoutingRule Name=\"To support\"{S} />"),
        row("OrganizationSettings",
            "<OrganizationSettings><general><numberformat>us</numberformat></general></OrganizationSettings>",
            "<OrganizationSettings>\n    <general>\n      <numberformat>us</numberformat>\n    </general>\n  </OrganizationSettings>"),
        row("Languages", "<Languages><Language>1033</Language></Languages>", "<Languages>\n    <Language>1033</Language>\n  </Languages>"),
        row("connectionreferences",
            "<connectionreferences><connectionreference connectionreferencelogicalname=\"pub_a\"><connectorid>/providers/x</connectorid></connectionreference></connectionreferences>",
            "<connectionreferences>\n    <connectionreference connectionreferencelogicalname=\"pub_a\">\n      <connectorid>/providers/x</connectorid>\n    \
             </connectionreference>\n  </connectionreferences>"),
        row("AIModels",
            "<AIModels><AIModel><msdyn_name>Read invoices</msdyn_name></AIModel></AIModels>",
            "<AIModels>\n    <AIModel>\n      <msdyn_name>Read invoices</msdyn_name>\n    </AIModel>\n  </AIModels>"),
        row("EntityImageConfigs",
            "<EntityImageConfigs><EntityImageConfig><parententitylogicalname>contact</parententitylogicalname></EntityImageConfig></EntityImageConfigs>",
            "<EntityImageConfigs>\n    <EntityImageConfig>\n      <parententitylogicalname>contact</parententitylogicalname>\n    </EntityImageConfig>\n  </EntityImageConfigs>"),
        row("AttributeImageConfigs",
            "<AttributeImageConfigs><AttributeImageConfig><attributelogicalname>pub_photo</attributelogicalname></AttributeImageConfig></AttributeImageConfigs>",
            "<AttributeImageConfigs>\n    <AttributeImageConfig>\n      <attributelogicalname>pub_photo</attributelogicalname>\n    </AttributeImageConfig>\n  </AttributeImageConfigs>"),
        row("msdyn_dataflows",
            "<msdyn_dataflows><msdyn_dataflow msdyn_dataflowid=\"1\"><msdyn_name>Import</msdyn_name><msdyn_mashupdocument>let\n\tx = 1\nin x</msdyn_mashupdocument></msdyn_dataflow></msdyn_dataflows>",
            "<msdyn_dataflows>\n    <msdyn_dataflow msdyn_dataflowid=\"1\">\n      <msdyn_name>Import</msdyn_name>\n      \
             <msdyn_mashupdocument>let\n\tx = 1\nin x</msdyn_mashupdocument>\n    </msdyn_dataflow>\n  </msdyn_dataflows>"),
        row("IsvConfig",
            "<IsvConfig><configuration version=\"3.0.0000.0\"><Root /></configuration></IsvConfig>",
            "<IsvConfig>\n    <configuration version=\"3.0.0000.0\">\n      <Root />\n    </configuration>\n  </IsvConfig>"),
        row("appaction_appactionrule_classicrulesset",
            "<appaction_appactionrule_classicrulesset><appaction_appactionrule_classicrules appactionid.uniquename=\"pub!1\" appactionruleid.uniquename=\"m!0\">\
             <iscustomizable>1</iscustomizable></appaction_appactionrule_classicrules></appaction_appactionrule_classicrulesset>",
            "<appaction_appactionrule_classicrulesset>\n    <appaction_appactionrule_classicrules appactionid.uniquename=\"pub!1\" appactionruleid.uniquename=\"m!0\">\n      \
             <iscustomizable>1</iscustomizable>\n    </appaction_appactionrule_classicrules>\n  </appaction_appactionrule_classicrulesset>"),
        row("(pass-through)", "<Entities />", "<Entities />")
            .part("customapis/pub_Do/customapi.xml", "<customapi/>")
            .part("environmentvariabledefinitions/pub_v/environmentvariabledefinition.xml", "<a>\n</a>\n")
            .part("pluginpackages/pub_P/package/P.1.0.0.nupkg", "PK")
            .file("customapis/pub_Do/customapi.xml", "<customapi/>")
            .file("environmentvariabledefinitions/pub_v/environmentvariabledefinition.xml", "<a>\n</a>\n")
            .file("pluginpackages/pub_P/package/P.1.0.0.nupkg", "PK"),
    ]
}

/// Rows whose components packing puts in the order of their files, not in that of the source; and one
/// whose text has line breaks.
const SORTED: [&str; 4] = ["Workflows", "Templates", "WebResources", "msdyn_dataflows"];

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";

fn is_part(row: &Row, path: &str) -> bool {
    let part = path.replacen("Connectors/", "Connector/", 1);
    row.parts
        .iter()
        .any(|(name, _)| *name == part || *name == path)
        || path.starts_with("WebResources/") && !path.ends_with(".data.xml")
        || row.name == "Reports" && path.ends_with(".rdl")
}

#[test]
fn every_row_gives_these_files_to_the_byte() {
    for row in rows() {
        let tree = unpack(&row.package(), &UnpackOptions::default()).unwrap();
        assert!(
            tree.findings.is_empty(),
            "{}: {:?}",
            row.name,
            tree.findings
        );
        let mut paths: Vec<&str> = row.files.iter().map(|(path, _)| *path).collect();
        paths.extend(["Other/Customizations.xml", "Other/Solution.xml"]);
        paths.sort_unstable();
        let mut found: Vec<&str> = tree.tree.paths().collect();
        found.sort_unstable();
        assert_eq!(found, paths, "{}", row.name);
        for (path, content) in &row.files {
            let expected = if is_part(&row, path) {
                (*content).to_owned()
            } else {
                let content = content.replace("{S}", &format!(" xmlns:xsi=\"{XSI}\""));
                format!("\u{feff}{DECLARATION}\n{content}").replace('\n', "\r\n")
            };
            let actual = String::from_utf8(tree.tree.get(path).unwrap().to_vec()).unwrap();
            assert_eq!(actual, expected, "{}: {path}", row.name);
        }
        let left = String::from_utf8(tree.tree.get("Other/Customizations.xml").unwrap().to_vec());
        let expected = format!(
            "\u{feff}{DECLARATION}\n<ImportExportXml xmlns:xsi=\"{XSI}\">\n  {}\n</ImportExportXml>",
            row.left
        );
        assert_eq!(
            left.unwrap(),
            expected.replace('\n', "\r\n"),
            "{}",
            row.name
        );
    }
}

#[test]
fn every_row_packs_back_to_what_it_was() {
    for row in rows() {
        let source = row.package();
        let tree = tree_of(&source);
        let again = packed(&tree);
        assert_eq!(
            names(&again),
            names(&source),
            "{}: the parts and their order",
            row.name
        );
        for part in source.parts().iter().filter(|part| part.name.contains('/')) {
            assert_eq!(
                again.part(&part.name),
                Some(&part.data[..]),
                "{}",
                part.name
            );
        }
        // Without the white space that the writer adds, it is the source itself, but for the order
        // of two components whose files sort otherwise, and the prefix of an app's nil.
        let flat: String = customizations(&again)
            .trim_start_matches(DECLARATION)
            .split("\r\n")
            .map(|line| line.trim_start_matches(' '))
            .collect();
        let mut expected = format!(
            "<ImportExportXml xmlns:xsi=\"{XSI}\">{}</ImportExportXml>",
            row.xml
        );
        if row.name == "AppModules" {
            expected = expected.replace(
                "xsi:nil=\"true\"",
                &format!("p2:nil=\"true\" xmlns:p2=\"{XSI}\""),
            );
        }
        let sorted = |text: &str| {
            let mut pieces: Vec<String> = text.split('<').map(str::to_owned).collect();
            pieces.sort();
            pieces
        };
        if SORTED.contains(&row.name) {
            let expected = expected.replace("let\n\tx = 1\nin x", "let\tx = 1in x");
            assert_eq!(sorted(&flat), sorted(&expected), "{}", row.name);
        } else {
            assert_eq!(flat, expected, "{}", row.name);
        }
        assert_eq!(tree_of(&again), tree, "{}: the tree again", row.name);
        assert_eq!(
            packed(&tree_of(&again)),
            again,
            "{}: packed again",
            row.name
        );
    }
}

#[test]
fn line_ends_are_those_asked_for_and_payloads_keep_theirs() {
    for row in rows() {
        let lf = tree_of(&row.package());
        let crlf = unpack(
            &row.package(),
            &UnpackOptions {
                line_ends: LineEnds::CrLf,
                ..UnpackOptions::default()
            },
        )
        .unwrap()
        .tree;
        for (path, data) in lf.iter() {
            if is_part(&row, path) {
                assert_eq!(crlf.get(path), Some(&data[..]), "{path}");
            } else {
                assert_eq!(
                    text(&crlf, path).replace("\r\n", "\n"),
                    text(&lf, path),
                    "{path}"
                );
                assert!(!text(&lf, path).contains('\r'), "{path}");
            }
        }
    }
}

/// All rows in one package, which packing must put together in the order of the collections.
#[test]
fn all_rows_together_keep_the_order_of_the_collections() {
    let all: Vec<Row> = rows()
        .into_iter()
        .filter(|row| row.name != "(pass-through)")
        .collect();
    let xml: String = all.iter().map(|row| row.xml).collect();
    let roots: String = all
        .iter()
        .flat_map(|row| row.roots.iter().map(|(kind, key)| root(*kind, key)))
        .collect();
    let parts: Vec<(&str, &[u8])> = all
        .iter()
        .flat_map(|row| {
            row.parts
                .iter()
                .map(|(name, data)| (*name, data.as_bytes()))
        })
        .collect();
    let source = package("0", &xml, &roots, &parts);
    let again = packed(&tree_of(&source));
    assert_eq!(names(&again), names(&source));
    let text = customizations(&again);
    let collections: Vec<&str> = text
        .split("\r\n")
        .filter(|line| line.starts_with("  <") && !line.starts_with("  </"))
        .map(|line| {
            line.trim_start_matches("  <")
                .split(['>', ' '])
                .next()
                .unwrap()
        })
        .collect();
    let expected: Vec<&str> = all.iter().map(|row| row.name).collect();
    assert_eq!(collections, expected);
}
