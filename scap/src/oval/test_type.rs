//! The tests that the model knows: the elements of their schemas, in one table.

use crate::namespace::*;

/// The schema that a test belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// `independent-definitions-schema`.
    Independent,
    /// `unix-definitions-schema`.
    Unix,
    /// `linux-definitions-schema`.
    Linux,
}

impl Family {
    /// The namespace of tests, objects and states.
    pub const fn definitions(self) -> &'static str {
        match self {
            Self::Independent => OVAL_DEF_INDEPENDENT,
            Self::Unix => OVAL_DEF_UNIX,
            Self::Linux => OVAL_DEF_LINUX,
        }
    }

    /// The namespace of items.
    pub const fn system_characteristics(self) -> &'static str {
        match self {
            Self::Independent => OVAL_SYS_INDEPENDENT,
            Self::Unix => OVAL_SYS_UNIX,
            Self::Linux => OVAL_SYS_LINUX,
        }
    }

    /// The prefix under which definitions are written; that of items has `-sys` behind it.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Independent => "ind",
            Self::Unix => "unix",
            Self::Linux => "linux",
        }
    }
}

/// What the schemas say of a test.
struct Row {
    family: Family,
    name: &'static str,
    item: &'static str,
    object: &'static [&'static str],
    entities: &'static [&'static str],
}

macro_rules! test_types {
    ($($(#[$doc:meta])* $variant:ident: $family:ident $name:literal $item:literal
        object [$($object:literal)*] entities [$($entity:literal)*];)*) => {
        /// A kind of test, with its object, its state and its item.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum TestType { $($(#[$doc])* $variant,)* }

        impl TestType {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            const fn row(self) -> &'static Row {
                match self {
                    $(Self::$variant => &Row {
                        family: Family::$family,
                        name: $name,
                        item: $item,
                        object: &[$($object,)*],
                        entities: &[$($entity,)*],
                    },)*
                }
            }
        }
    };
}

test_types! {
    /// Environment variables of the scanner's own process.
    EnvironmentVariable: Independent "environmentvariable" "environmentvariable"
        object ["name"] entities ["name" "value"];
    /// Environment variables of any process.
    EnvironmentVariable58: Independent "environmentvariable58" "environmentvariable58"
        object ["pid" "name"] entities ["pid" "name" "value"];
    /// The operating system's family.
    Family: Independent "family" "family" object [] entities ["family"];
    /// Hashes of files.
    FileHash58: Independent "filehash58" "filehash58"
        object ["filepath" "path" "filename" "hash_type"]
        entities ["filepath" "path" "filename" "hash_type" "hash"];
    /// What a database answers.
    Sql57: Independent "sql57" "sql57"
        object ["engine" "version" "connection_string" "sql"]
        entities ["engine" "version" "connection_string" "sql" "result"];
    /// Lines of files, one expression per line.
    TextFileContent: Independent "textfilecontent" "textfilecontent"
        object ["path" "filename" "line"]
        entities ["path" "filename" "line" "subexpression"];
    /// What a regular expression matches in files.
    TextFileContent54: Independent "textfilecontent54" "textfilecontent"
        object ["filepath" "path" "filename" "pattern" "instance"]
        entities ["filepath" "path" "filename" "pattern" "instance" "line" "text" "subexpression"];
    /// What cannot be tested by a machine.
    Unknown: Independent "unknown" "unknown" object [] entities [];
    /// Values of a variable.
    Variable: Independent "variable" "variable" object ["var_ref"] entities ["var_ref" "value"];
    /// What an XPath selects in files.
    XmlFileContent: Independent "xmlfilecontent" "xmlfilecontent"
        object ["filepath" "path" "filename" "xpath"]
        entities ["filepath" "path" "filename" "xpath" "value_of"];
    /// What a YAML path selects in files.
    YamlFileContent: Independent "yamlfilecontent" "yamlfilecontent"
        object ["filepath" "path" "filename" "yamlpath"]
        entities ["filepath" "path" "filename" "yamlpath" "value"];
    /// What is known of files beside their content.
    File: Unix "file" "file"
        object ["filepath" "path" "filename"]
        entities ["filepath" "path" "filename" "type" "group_id" "user_id" "a_time" "c_time" "m_time" "size"
            "suid" "sgid" "sticky" "uread" "uwrite" "uexec" "gread" "gwrite" "gexec" "oread" "owrite" "oexec"
            "has_extended_acl"];
    /// Network interfaces.
    Interface: Unix "interface" "interface"
        object ["name"]
        entities ["name" "type" "hardware_addr" "inet_addr" "broadcast_addr" "netmask" "flag"];
    /// Users.
    Password: Unix "password" "password"
        object ["username"]
        entities ["username" "password" "user_id" "group_id" "gcos" "home_dir" "login_shell" "last_login"];
    /// Processes.
    Process58: Unix "process58" "process58"
        object ["command_line" "pid"]
        entities ["command_line" "exec_time" "pid" "ppid" "priority" "ruid" "scheduling_class" "start_time"
            "tty" "user_id" "exec_shield" "loginuid" "posix_capability" "selinux_domain_label" "session_id"];
    /// Run levels of services.
    RunLevel: Unix "runlevel" "runlevel"
        object ["service_name" "runlevel"]
        entities ["service_name" "runlevel" "start" "kill"];
    /// Passwords of users.
    Shadow: Unix "shadow" "shadow"
        object ["username"]
        entities ["username" "password" "chg_lst" "chg_allow" "chg_req" "exp_warn" "exp_inact" "exp_date" "flag"
            "encrypt_method"];
    /// Where symbolic links lead.
    Symlink: Unix "symlink" "symlink" object ["filepath"] entities ["filepath" "canonical_path"];
    /// Parameters of the kernel.
    Sysctl: Unix "sysctl" "sysctl" object ["name"] entities ["name" "value"];
    /// What the system calls itself.
    Uname: Unix "uname" "uname" object []
        entities ["machine_class" "node_name" "os_name" "os_release" "os_version" "processor_type"];
    /// Packages of Debian.
    DpkgInfo: Linux "dpkginfo" "dpkginfo"
        object ["name"] entities ["name" "arch" "epoch" "release" "version" "evr"];
    /// Attributes of the firmware's security.
    FwupdSecAttr: Linux "fwupdsecattr" "fwupdsecattr"
        object ["stream_id"] entities ["stream_id" "security_attr"];
    /// Applications that listen on interfaces below the network's layer.
    IfListeners: Linux "iflisteners" "iflisteners"
        object ["interface_name"]
        entities ["interface_name" "protocol" "hw_address" "program_name" "pid" "user_id"];
    /// Servers that listen on the network.
    InetListeningServers: Linux "inetlisteningservers" "inetlisteningserver"
        object ["protocol" "local_address" "local_port"]
        entities ["protocol" "local_address" "local_port" "local_full_address" "program_name" "foreign_address"
            "foreign_port" "foreign_full_address" "pid" "user_id"];
    /// Mounted file systems.
    Partition: Linux "partition" "partition"
        object ["mount_point"]
        entities ["mount_point" "device" "uuid" "fs_type" "mount_options" "mount_option" "total_space"
            "space_used" "space_left" "space_left_for_unprivileged_users" "block_size"];
    /// Packages of RPM.
    RpmInfo: Linux "rpminfo" "rpminfo"
        object ["name"]
        entities ["name" "arch" "epoch" "release" "version" "evr" "signature_keyid" "extended_name" "filepath"];
    /// Files of RPM's packages that are not as they were installed.
    RpmVerifyFile: Linux "rpmverifyfile" "rpmverifyfile"
        object ["name" "epoch" "version" "release" "arch" "filepath"]
        entities ["name" "epoch" "version" "release" "arch" "filepath" "extended_name" "size_differs"
            "mode_differs" "md5_differs" "filedigest_differs" "device_differs" "link_mismatch"
            "ownership_differs" "group_differs" "mtime_differs" "capabilities_differ" "configuration_file"
            "documentation_file" "ghost_file" "license_file" "readme_file"];
    /// Packages of RPM that are not as they were installed.
    RpmVerifyPackage: Linux "rpmverifypackage" "rpmverifypackage"
        object ["name" "epoch" "version" "release" "arch"]
        entities ["name" "epoch" "version" "release" "arch" "extended_name" "dependency_check_passed"
            "digest_check_passed" "verification_script_successful" "signature_check_passed"];
    /// Booleans of SELinux.
    SelinuxBoolean: Linux "selinuxboolean" "selinuxboolean"
        object ["name"] entities ["name" "current_status" "pending_status"];
    /// Labels of SELinux, of files and processes.
    SelinuxSecurityContext: Linux "selinuxsecuritycontext" "selinuxsecuritycontext"
        object ["filepath" "path" "filename" "pid"]
        entities ["filepath" "path" "filename" "pid" "user" "role" "type" "low_sensitivity" "low_category"
            "high_sensitivity" "high_category" "rawlow_sensitivity" "rawlow_category" "rawhigh_sensitivity"
            "rawhigh_category"];
    /// What units of systemd need.
    SystemdUnitDependency: Linux "systemdunitdependency" "systemdunitdependency"
        object ["unit"] entities ["unit" "dependency"];
    /// Properties of units of systemd.
    SystemdUnitProperty: Linux "systemdunitproperty" "systemdunitproperty"
        object ["unit" "property"] entities ["unit" "property" "value"];
}

impl TestType {
    /// The schema.
    pub const fn family(self) -> Family {
        self.row().family
    }

    /// What stands before `_test`, `_object` and `_state`.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// What stands before `_item`.
    pub const fn item_name(self) -> &'static str {
        self.row().item
    }

    /// The entities of an object.
    pub const fn object_entities(self) -> &'static [&'static str] {
        self.row().object
    }

    /// The entities of a state and of an item, in the order of the schema.
    pub const fn entities(self) -> &'static [&'static str] {
        self.row().entities
    }

    /// The name of an object's entity, where the schema has it.
    pub fn object_entity(self, name: &str) -> Option<&'static str> {
        self.object_entities().iter().find(|known| **known == name).copied()
    }

    /// The name of a state's or an item's entity, where the schema has it.
    pub fn entity(self, name: &str) -> Option<&'static str> {
        self.entities().iter().find(|known| **known == name).copied()
    }

    /// The kind of an element such as `file_test`, where the model knows it.
    ///
    /// `suffix` is `_test`, `_object` or `_state`.
    pub fn of_element(namespace: Option<&str>, element: &str, suffix: &str) -> Option<Self> {
        let name = element.strip_suffix(suffix)?;
        let of_family = |t: &&Self| Some(t.family().definitions()) == namespace;
        Self::ALL.iter().filter(of_family).find(|t| t.name() == name).copied()
    }

    /// The kind of an item, where the model knows it.
    ///
    /// The items of `textfilecontent_test` and `textfilecontent54_test` are the same; they are taken for those of the
    /// latter.
    pub fn of_item(namespace: Option<&str>, element: &str) -> Option<Self> {
        let name = element.strip_suffix("_item")?;
        let of_family = |t: &&Self| Some(t.family().system_characteristics()) == namespace;
        let mut known = Self::ALL.iter().filter(of_family).filter(|t| t.item_name() == name);
        known.next_back().copied()
    }

    /// Whether items of the one are items of the other, as those of both text tests are.
    pub fn same_items(self, other: Self) -> bool {
        self.family() == other.family() && self.item_name() == other.item_name()
    }
}

impl std::fmt::Display for TestType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found() {
        let find = |ns, element, suffix| TestType::of_element(Some(ns), element, suffix);
        assert_eq!(find(OVAL_DEF_UNIX, "file_test", "_test"), Some(TestType::File));
        assert_eq!(find(OVAL_DEF_LINUX, "file_test", "_test"), None);
        assert_eq!(
            TestType::of_item(Some(OVAL_SYS_INDEPENDENT), "textfilecontent_item"),
            Some(TestType::TextFileContent54)
        );
        assert_eq!(TestType::File.entity("uread"), Some("uread"));
        assert_eq!(TestType::File.object_entity("uread"), None);
    }
}
