//! The files credentials are kept in, one of each as programs write them: what is planted is found, sure
//! enough to be reported.

use keycull::engine::{Engine, Scratch};
use keycull::finding::Confidence;
use keycull::rule::example::{Rng, expand};

/// What is planted, by the form such values have.
const PASSWORD: &str = "${shape:[A-Za-z] loweralnum{6} '!' alnum{7}}";
const PLAIN: &str = "${alnum:14}";
const HEX: &str = "${upperhex:64}";
const TOKEN: &str = "${alnum:40}";

/// Name of the file, form of the secret, content with `{S}` where it stands (`{B}`: in base64).
const FILES: &[(&str, &str, &str)] = &[
    (
        "~/.aws/credentials",
        "${base64:40}",
        "[default]\naws_access_key_id = AKIA${[A-Z2-7]:16}\naws_secret_access_key = {S}\nregion = eu-west-1\n",
    ),
    (
        "kubeconfig, token",
        "${jwt}",
        "apiVersion: v1\nkind: Config\nusers:\n- name: deploy\n  user:\n    token: {S}\n",
    ),
    (
        "kubeconfig, password",
        PLAIN,
        "apiVersion: v1\nkind: Config\nusers:\n- name: admin\n  user:\n    username: admin\n    password: {S}\n",
    ),
    (
        "docker config.json",
        PLAIN,
        "{\n  \"auths\": {\n    \"registry.acme.io\": {\n      \"auth\": \"${b64:deploy:{S}}\"\n    }\n  }\n}\n",
    ),
    (
        ".npmrc, token",
        "npm_${alnum:36}",
        "registry=https://registry.acme.io/\n//registry.acme.io/:_authToken={S}\n",
    ),
    (".npmrc, uuid", "${uuid}", "//registry.acme.io/:_authToken={S}\n"),
    (".npmrc, password", PLAIN, "//registry.acme.io/:username=deploy\n//registry.acme.io/:_password={B}\n"),
    (".npmrc, _auth", PLAIN, "_auth=${b64:deploy:{S}}\nalways-auth=true\n"),
    (
        ".pypirc",
        PLAIN,
        "[distutils]\nindex-servers = acme\n\n[acme]\nrepository = https://pypi.acme.io/\nusername = deploy\npassword = {S}\n",
    ),
    (".netrc", PLAIN, "machine git.acme.io\nlogin deploy\npassword {S}\n"),
    (".git-credentials", PLAIN, "https://deploy:{S}@git.acme.io\n"),
    (
        "terraform.tfvars",
        PASSWORD,
        "region      = \"eu-west-1\"\ndb_username = \"app\"\ndb_password = \"{S}\"\n",
    ),
    (
        "terraform.tfstate",
        PASSWORD,
        "{\n  \"version\": 4,\n  \"resources\": [{\n    \"type\": \"aws_db_instance\",\n    \"instances\": [{\n      \"attributes\": {\n        \"username\": \"app\",\n        \"password\": \"{S}\",\n        \"port\": 5432\n      }\n    }]\n  }]\n}\n",
    ),
    (
        "terraform.tfstate, random_password",
        PASSWORD,
        "{\n  \"type\": \"random_password\",\n  \"name\": \"db\",\n  \"instances\": [{\n    \"attributes\": {\n      \"length\": 16,\n      \"result\": \"{S}\",\n      \"special\": true\n    }\n  }]\n}\n",
    ),
    (
        "ansible inventory",
        PLAIN,
        "[web]\nweb1 ansible_host=10.1.2.3 ansible_user=deploy ansible_ssh_pass={S}\n",
    ),
    ("ansible group_vars", PASSWORD, "ansible_user: deploy\nansible_become_password: \"{S}\"\n"),
    (
        "helm values.yaml",
        PASSWORD,
        "postgresql:\n  auth:\n    username: app\n    postgresPassword: \"{S}\"\n    database: app\n",
    ),
    ("helm values.yaml, unquoted", PLAIN, "redis:\n  auth:\n    enabled: true\n    password: {S}\n"),
    (
        "docker-compose.yml, list",
        PLAIN,
        "services:\n  db:\n    image: mysql:8\n    environment:\n      - MYSQL_DATABASE=app\n      - MYSQL_ROOT_PASSWORD={S}\n",
    ),
    (
        "docker-compose.yml, map",
        PASSWORD,
        "services:\n  db:\n    environment:\n      POSTGRES_USER: app\n      POSTGRES_PASSWORD: \"{S}\"\n",
    ),
    (".env", PLAIN, "APP_ENV=production\nDB_USERNAME=app\nDB_PASSWORD={S}\n"),
    (".env, key", "${base64:43}=", "APP_NAME=acme\nAPP_KEY=base64:{S}\n"),
    (".env, exported", PASSWORD, "export SMTP_HOST=mail.acme.io\nexport SMTP_PASS='{S}'\n"),
    (
        "wp-config.php, password",
        PASSWORD,
        "<?php\ndefine( 'DB_NAME', 'wp' );\ndefine( 'DB_USER', 'wp' );\ndefine( 'DB_PASSWORD', '{S}' );\n",
    ),
    ("wp-config.php, salt", "${[A-Za-z0-9!@#%^&*]:64}", "<?php\ndefine( 'AUTH_KEY',         '{S}' );\n"),
    (
        "settings.py, database",
        PASSWORD,
        "DATABASES = {\n    'default': {\n        'ENGINE': 'django.db.backends.postgresql',\n        'USER': 'app',\n        'PASSWORD': '{S}',\n        'HOST': 'db',\n    }\n}\n",
    ),
    ("settings.py, SECRET_KEY", "${[a-z0-9!@#%^&*]:50}", "DEBUG = False\nSECRET_KEY = '{S}'\n"),
    (
        "application.yml",
        PLAIN,
        "spring:\n  datasource:\n    url: jdbc:postgresql://db/app\n    username: app\n    password: {S}\n",
    ),
    ("application.properties", PASSWORD, "spring.datasource.username=app\nspring.datasource.password={S}\n"),
    (
        "web.config, connection",
        PLAIN,
        "<connectionStrings>\n  <add name=\"Main\" connectionString=\"Server=db.acme.io;Database=app;User Id=app;Password={S};\" providerName=\"System.Data.SqlClient\" />\n</connectionStrings>\n",
    ),
    (
        "web.config, machineKey",
        HEX,
        "<system.web>\n  <machineKey validationKey=\"{S}\" validation=\"HMACSHA256\" />\n</system.web>\n",
    ),
    (
        "web.config, appSettings",
        PASSWORD,
        "<appSettings>\n  <add key=\"SmtpPassword\" value=\"{S}\" />\n</appSettings>\n",
    ),
    (
        "appsettings.json, connection",
        PLAIN,
        "{\n  \"ConnectionStrings\": {\n    \"Default\": \"Server=db;Database=app;User Id=app;Password={S};Encrypt=True\"\n  }\n}\n",
    ),
    (
        "appsettings.json, Jwt",
        TOKEN,
        "{\n  \"Jwt\": {\n    \"Issuer\": \"acme\",\n    \"Key\": \"{S}\"\n  }\n}\n",
    ),
    (
        "firebase service account",
        "${pem:PRIVATE KEY}",
        "{\n  \"type\": \"service_account\",\n  \"project_id\": \"acme\",\n  \"private_key_id\": \"${lowerhex:40}\",\n  \"private_key\": \"{S}\"\n}\n",
    ),
    (
        "firebase config",
        "AIza${base64url:35}",
        "const firebaseConfig = {\n  apiKey: \"{S}\",\n  authDomain: \"acme.firebaseapp.com\",\n};\n",
    ),
    (
        "FileZilla sitemanager.xml",
        PASSWORD,
        "<FileZilla3>\n  <Servers>\n    <Server>\n      <Host>ftp.acme.io</Host>\n      <User>web</User>\n      <Pass encoding=\"base64\">{B}</Pass>\n    </Server>\n  </Servers>\n</FileZilla3>\n",
    ),
    (
        "FileZilla recentservers.xml, old",
        PASSWORD,
        "<FileZilla3>\n  <RecentServers>\n    <Server>\n      <Host>ftp.acme.io</Host>\n      <User>web</User>\n      <Pass>{S}</Pass>\n    </Server>\n  </RecentServers>\n</FileZilla3>\n",
    ),
    (
        ".vscode/sftp.json",
        PASSWORD,
        "{\n    \"name\": \"prod\",\n    \"host\": \"ftp.acme.io\",\n    \"protocol\": \"sftp\",\n    \"username\": \"web\",\n    \"password\": \"{S}\",\n    \"remotePath\": \"/\"\n}\n",
    ),
    (
        ".ftpconfig",
        PASSWORD,
        "{\n    \"protocol\": \"ftp\",\n    \"host\": \"ftp.acme.io\",\n    \"user\": \"web\",\n    \"pass\": \"{S}\",\n    \"promptForPass\": false\n}\n",
    ),
    (
        "WinSCP.ini",
        "${upperhex:62}",
        "[Sessions\\web@ftp.acme.io]\nHostName=ftp.acme.io\nUserName=web\nPassword={S}\nFSProtocol=5\n",
    ),
    ("ws_ftp.ini", "V${upperhex:48}", "[ACME]\nHOST=ftp.acme.io\nUID=web\nPWD={S}\nPASVMODE=1\n"),
    (
        "JetBrains webServers.xml",
        "${lowerhex:48}",
        "<webServer id=\"1\" name=\"prod\" url=\"http://acme.io\">\n  <fileTransfer host=\"ftp.acme.io\" port=\"21\" username=\"web\" password=\"{S}\">\n  </fileTransfer>\n</webServer>\n",
    ),
    (
        "JetBrains dataSources.xml",
        PLAIN,
        "<data-source name=\"db\">\n  <jdbc-url>jdbc:mysql://db.acme.io:3306/app?user=app&amp;password={S}</jdbc-url>\n</data-source>\n",
    ),
    ("shell history, mysql", PLAIN, "cd /srv\nmysql -h db.acme.io -u app -p{S} app < dump.sql\nls\n"),
    ("shell history, sshpass", PASSWORD, "sshpass -p '{S}' ssh deploy@web1\n"),
    ("shell history, psql", PLAIN, "PGPASSWORD={S} psql -h db -U app\n"),
    ("shell history, docker", PLAIN, "docker login -u deploy -p {S} registry.acme.io\n"),
    ("shell history, curl", PLAIN, "curl -u deploy:{S} https://api.acme.io/x\n"),
    ("shell history, wget", PLAIN, "wget --user=deploy --password={S} https://files.acme.io/x\n"),
    ("shell history, export", "${base64:40}", "export AWS_SECRET_ACCESS_KEY={S}\n"),
    ("shell history, git", "ghp_${alnum:36}", "git clone https://x:{S}@github.com/acme/x.git\n"),
    (".htpasswd", "${shape:'$apr1$' alnum{8} '$' alnum{22}}", "admin:{S}\n"),
    ("/etc/shadow", "${shape:'$6$' alnum{8} '$' alnum{86}}", "root:{S}:19000:0:99999:7:::\n"),
    (".pgpass", PLAIN, "db.acme.io:5432:app:deploy:{S}\n"),
    (".my.cnf", PLAIN, "[client]\nuser=app\npassword={S}\n"),
    (".my.cnf, quoted", PASSWORD, "[mysqldump]\nuser = app\npassword = \"{S}\"\n"),
    ("SQL dump, user", PASSWORD, "CREATE USER 'app'@'%' IDENTIFIED BY '{S}';\n"),
    (
        "SQL dump, password column",
        PASSWORD,
        "INSERT INTO `users` (`id`, `email`, `password`) VALUES (1, 'jane@acme.io', '{S}');\n",
    ),
    (
        "SQL dump, hashes",
        "${shape:'$2y$10$' alnum{53}}",
        "INSERT INTO `users` (`id`, `email`, `password`) VALUES (1, 'jane@acme.io', '{S}');\n",
    ),
    (
        "PKCS#12 in a Kubernetes secret",
        PLAIN,
        "apiVersion: v1\nkind: Secret\ndata:\n  keystore.password: {B}\n",
    ),
    (".s3cfg", "${base64:40}", "[default]\naccess_key = AKIA${[A-Z2-7]:16}\nsecret_key = {S}\n"),
    (
        "rclone.conf",
        "${base64url:30}",
        "[remote]\ntype = sftp\nhost = files.acme.io\nuser = web\npass = {S}\n",
    ),
    ("muttrc", PASSWORD, "set imap_user = \"jane@acme.io\"\nset imap_pass = \"{S}\"\n"),
    ("msmtprc", PLAIN, "account acme\nhost mail.acme.io\nuser jane\npassword {S}\n"),
    ("wpa_supplicant.conf", PASSWORD, "network={\n    ssid=\"acme\"\n    psk=\"{S}\"\n}\n"),
    (
        "tomcat-users.xml",
        PASSWORD,
        "<tomcat-users>\n  <user username=\"manager\" password=\"{S}\" roles=\"manager-gui\"/>\n</tomcat-users>\n",
    ),
    (
        "maven settings.xml",
        PASSWORD,
        "<servers>\n  <server>\n    <id>releases</id>\n    <username>deploy</username>\n    <password>{S}</password>\n  </server>\n</servers>\n",
    ),
    ("gradle.properties", PASSWORD, "org.gradle.jvmargs=-Xmx2g\nsigning.password={S}\n"),
    (".gem/credentials", "${lowerhex:48}", "---\n:rubygems_api_key: rubygems_{S}\n"),
    (
        "nuget.config",
        PASSWORD,
        "<packageSourceCredentials>\n  <acme>\n    <add key=\"Username\" value=\"deploy\" />\n    <add key=\"ClearTextPassword\" value=\"{S}\" />\n  </acme>\n</packageSourceCredentials>\n",
    ),
    (
        "composer auth.json",
        PASSWORD,
        "{\n  \"http-basic\": {\n    \"repo.acme.io\": {\n      \"username\": \"deploy\",\n      \"password\": \"{S}\"\n    }\n  }\n}\n",
    ),
    (
        "unattend.xml",
        PASSWORD,
        "<AdministratorPassword>\n  <Value>{S}</Value>\n  <PlainText>true</PlainText>\n</AdministratorPassword>\n",
    ),
];

/// What of [`FILES`] is known to be missed: hashes of users' passwords in a dump are what a password should be
/// stored as. Those of files that open a system (`.htpasswd`, `/etc/shadow`) are reported.
const MISSED: &[&str] = &["SQL dump, hashes"];

#[test]
fn what_the_usual_files_hold_is_found() {
    let engine = Engine::builtin();
    let mut missed = Vec::new();
    let mut table = String::new();
    for (name, form, content) in FILES {
        let mut rng = Rng::seeded(name);
        let secret = expand(form, &|_| String::new(), &mut rng).expect("a template");
        let literal = secret.replace("${", "$${");
        let content = content.replace("{S}", &literal).replace("{B}", &format!("${{b64:{literal}}}"));
        let text = expand(&content, &|_| String::new(), &mut rng).expect("a template");
        let mut matches = Vec::new();
        engine.scan(text.as_bytes(), &mut Scratch::default(), &mut matches);
        let base64 = |text: String| {
            let text = text.replace("${", "$${");
            expand(&format!("${{b64:{text}}}"), &|_| String::new(), &mut Rng::seeded("")).expect("base64")
        };
        let forms = [secret.clone(), base64(secret.clone()), base64(format!("deploy:{secret}"))];
        let holds = |found: &[u8]| {
            forms.iter().map(String::as_bytes).any(|form| {
                let inside = |outer: &[u8], inner: &[u8]| {
                    inner.len() >= 8 && outer.windows(inner.len()).any(|part| part == inner)
                };
                inside(found, form) || inside(form, found)
            })
        };
        let best = matches
            .iter()
            .filter(|hit| holds(hit.secret_bytes(text.as_bytes())))
            .map(|hit| (hit.confidence, engine.rules().get(hit.rule).id.to_string()))
            .max();
        let verdict = best.as_ref().map_or_else(|| "-".to_owned(), |(sure, rule)| format!("{sure} {rule}"));
        table.push_str(&format!("{name:<40} {verdict}\n"));
        if best.is_none_or(|(sure, _)| sure < Confidence::Medium) {
            missed.push(*name);
        }
    }
    assert_eq!(missed, MISSED, "{table}");
}
