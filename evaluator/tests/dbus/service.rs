//! A private message bus, with systemd and fwupd as far as tests need them.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustbus::connection::Timeout;
use rustbus::connection::ll_conn::DuplexConn;
use rustbus::message_builder::{MarshalledMessage, MessageType};
use rustbus::params::{Base, Container, Param};

type Value = Param<'static, 'static>;

/// How services behave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Mood {
    Answers,
    /// Each answer is an error.
    Fails,
    /// Nothing is answered.
    Hangs,
    /// There are none.
    Absent,
}

/// A bus, until it is dropped.
pub(crate) struct Bus {
    daemon: Child,
    folder: tempfile::TempDir,
}

impl Bus {
    /// Starts a bus; none where there is no `dbus-daemon`.
    pub(crate) fn start(mood: Mood) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("bus");
        let config = format!(
            r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/>
</policy></busconfig>"#,
            socket.display()
        );
        let at = folder.path().join("bus.conf");
        std::fs::write(&at, config).unwrap();
        let mut command = Command::new("dbus-daemon");
        command.arg("--nofork").arg("--config-file").arg(at);
        let daemon = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let bus = Self { daemon, folder };
        let mut tries = 0;
        let connection = loop {
            let address = rustbus_nix::sys::socket::UnixAddr::new(&socket).unwrap();
            match DuplexConn::connect_to_bus(address, false) {
                Ok(connection) => break connection,
                Err(e) if tries == 100 => panic!("the bus does not start: {e}"),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
            tries += 1;
        };
        if mood != Mood::Absent {
            serve(connection, mood);
        }
        Some(bus)
    }

    pub(crate) fn address(&self) -> String {
        address(&self.folder.path().join("bus"))
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

pub(crate) fn address(socket: &Path) -> String {
    format!("unix:path={}", socket.display())
}

/// Plays both services in a thread, until the bus is gone.
fn serve(mut connection: DuplexConn, mood: Mood) {
    connection.send_hello(Timeout::Infinite).unwrap();
    for name in ["org.freedesktop.systemd1", "org.freedesktop.fwupd"] {
        let request = rustbus::standard_messages::request_name(name, 0);
        connection.send.send_message_write_all(&request).unwrap();
        // The bus answers in turn, so that the name is owned before anybody asks for it.
        while connection.recv.get_next_message(Timeout::Infinite).unwrap().typ != MessageType::Reply {}
    }
    std::thread::spawn(move || {
        while let Ok(message) = connection.recv.get_next_message(Timeout::Infinite) {
            if message.typ != MessageType::Call || mood == Mood::Hangs {
                continue;
            }
            let answer = answer(message, mood);
            if connection.send.send_message_write_all(&answer).is_err() {
                break;
            }
        }
    });
}

fn answer(message: MarshalledMessage, mood: Mood) -> MarshalledMessage {
    let header = message.dynheader.clone();
    let arguments = message.unmarshall_all().unwrap().params;
    let argument = |at: usize| match arguments.get(at) {
        Some(Param::Base(Base::String(text))) => text.as_str(),
        _ => "",
    };
    let object = header.object.clone().unwrap();
    let found = match header.member.as_deref().unwrap() {
        _ if mood == Mood::Fails => None,
        "ListUnits" => Some(list(
            "(ssssssouso)",
            UNITS.iter().map(|unit| {
                let texts = [*unit, "a description", "loaded", "active", "running", ""].map(Param::from_text);
                let mut fields = texts.to_vec();
                fields.extend([path(unit), Base::Uint32(0).into(), Param::from_text(""), path("/")]);
                Container::Struct(fields).into()
            }),
        )),
        "LoadUnit" => Some(path(argument(0))),
        "GetAll" => UNITS.iter().find(|unit| path(unit) == path(&object)).map(|unit| named(properties(unit))),
        "Get" => {
            let unit = UNITS.iter().find(|unit| path(unit) == path(&object));
            let found =
                unit.and_then(|unit| properties(unit).into_iter().find(|(name, _)| *name == argument(1)));
            found.map(|(_, value)| Container::make_variant(value).into())
        }
        "GetHostSecurityAttrs" => Some(list("a{sv}", attributes())),
        _ => None,
    };
    match found {
        Some(value) => {
            let mut answer = header.make_response();
            answer.body.push_old_param(&value).unwrap();
            answer
        }
        None => {
            let text = Some("nothing of that kind".to_owned());
            let mut answer = header.make_error_response("org.freedesktop.DBus.Error.Failed", text);
            // rustbus takes it for a reply.
            answer.typ = MessageType::Error;
            answer
        }
    }
}

/// The units: targets that need each other in a circle, and a service with properties of all types.
const UNITS: [&str; 4] = ["a.service", "m.target", "b.target", "lone.target"];

fn properties(unit: &str) -> Vec<(&'static str, Value)> {
    let texts = |texts: &[&str]| list("s", texts.iter().map(|text| Param::from_text(text)));
    let (requires, wants): (&[&str], &[&str]) = match unit {
        "m.target" => (&["b.target"], &["a.service", "b.target"]),
        "b.target" => (&["c.service"], &["d.service", "m.target", "lone.target"]),
        "a.service" => (&[], &["x.socket"]),
        _ => (&[], &[]),
    };
    let mut properties =
        vec![("Id", Param::from_text(unit)), ("Requires", texts(requires)), ("Wants", texts(wants))];
    if unit == "a.service" {
        let job: Vec<Value> = vec![Base::Uint32(0).into(), path("/")];
        properties.extend([
            ("Names", texts(&["a.service", "alias.service"])),
            ("Empty", Param::from_text("")),
            ("Yes", Base::Boolean(true).into()),
            ("No", Base::Boolean(false).into()),
            ("Byte", Base::Byte(b'A').into()),
            ("Small", Base::Int16(-3).into()),
            ("Signed", Base::Int64(-5_000_000_000).into()),
            ("Most", Base::Uint64(u64::MAX).into()),
            ("Fraction", Base::Double(1.5f64.to_bits()).into()),
            ("Numbers", list("u", [1, 2].map(|number| Base::Uint32(number).into()).into_iter())),
            ("Job", Container::Struct(job).into()),
        ]);
    }
    properties
}

fn attributes() -> impl Iterator<Item = Value> {
    let attribute = |id: &str, result: Option<u32>| {
        let mut properties =
            vec![("AppstreamId", Param::from_text(id)), ("Name", Param::from_text("a name"))];
        properties.extend(result.map(|result| ("HsiResult", Base::Uint32(result).into())));
        named(properties)
    };
    [
        attribute("org.fwupd.hsi.Kernel", Some(1)),
        attribute("org.fwupd.hsi.Kernel.Lockdown", Some(2)),
        attribute("org.fwupd.hsi.Unknown", None),
        attribute("org.fwupd.hsi.Invalid", Some(99)),
        attribute("org.fwupd.hsi.Last", Some(14)),
    ]
    .into_iter()
}

trait FromText {
    fn from_text(text: &str) -> Self;
}

impl FromText for Value {
    fn from_text(text: &str) -> Self {
        Base::String(text.to_owned()).into()
    }
}

fn list(signature: &str, values: impl Iterator<Item = Value>) -> Value {
    Container::make_array(signature, values).unwrap().into()
}

fn named(properties: Vec<(&'static str, Value)>) -> Value {
    let variants =
        properties.into_iter().map(|(name, value)| (name.to_owned(), Container::make_variant(value)));
    Container::make_dict("s", "v", variants).unwrap().into()
}

/// What a unit, or an object, is called on the bus.
fn path(name: &str) -> Value {
    let path = match name.strip_prefix('/') {
        Some(_) => name.to_owned(),
        None => format!("/org/freedesktop/systemd1/unit/{}", name.replace('.', "_2e")),
    };
    Base::ObjectPath(path).into()
}
