//! Calls on the system's message bus (D-Bus).
//!
//! They are made by a thread of their own and have a deadline, so that a bus that hangs holds up nothing. As with
//! `libdbus`, `DBUS_SYSTEM_BUS_ADDRESS` says where the bus is if it is not where it usually is.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rustbus::connection::{Timeout, ll_conn::DuplexConn};
use rustbus::message_builder::MessageType;
use rustbus::params::{Base, Container, Param};
use rustbus::{MessageBuilder, RpcConn};

/// Where the bus usually is.
const SOCKET: &str = "/run/dbus/system_bus_socket";

/// How long an answer may take, as with `libdbus`.
const DEADLINE: Duration = Duration::from_secs(25);

/// How deep a value may be.
const MAX_DEPTH: usize = 32;

/// A value of an answer, as far as it matters here.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// A simple value, as OpenSCAP writes it.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// Values that belong together.
    Struct(Vec<Value>),
    /// Names with values, in the order of the names.
    Named(Vec<(String, Value)>),
}

/// What is called.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    pub(crate) service: &'a str,
    pub(crate) object: &'a str,
    pub(crate) interface: &'a str,
    pub(crate) member: &'a str,
    pub(crate) arguments: &'a [&'a str],
}

/// The same, for the thread.
struct Order {
    names: [String; 4],
    arguments: Vec<String>,
}

/// A connection to the bus.
pub(crate) struct Bus {
    orders: Sender<Order>,
    answers: Receiver<Result<Vec<Value>, String>>,
    /// Whether an answer did not come in time. It may still come, and would be taken for that of another call.
    late: Cell<bool>,
}

/// A bus, as it is kept for all objects.
pub(crate) type Connected = Rc<Result<Bus, String>>;

impl Bus {
    /// Connects.
    ///
    /// # Errors
    /// Where there is no bus, or it does not answer.
    pub(crate) fn connect() -> Result<Self, String> {
        let (orders, to_do) = channel::<Order>();
        let (answer, answers) = channel();
        std::thread::spawn(move || {
            let mut connection = match open() {
                Ok(connection) => connection,
                Err(problem) => return answer.send(Err(problem)).unwrap_or_default(),
            };
            let mut answered = answer.send(Ok(Vec::new()));
            while let (Ok(()), Ok(order)) = (&answered, to_do.recv()) {
                answered = answer.send(carry_out(&mut connection, &order));
            }
        });
        let bus = Self { orders, answers, late: Cell::new(false) };
        bus.answer()?;
        Ok(bus)
    }

    /// Calls, and gives the values of the answer.
    pub(crate) fn call(&self, call: &Call<'_>) -> Result<Vec<Value>, String> {
        let names = [call.service, call.object, call.interface, call.member].map(str::to_owned);
        let arguments = call.arguments.iter().map(|&argument| argument.to_owned()).collect();
        self.orders.send(Order { names, arguments }).map_err(|_| "the message bus is gone".to_owned())?;
        self.answer()
    }

    fn answer(&self) -> Result<Vec<Value>, String> {
        let late = || format!("the message bus did not answer within {} seconds", DEADLINE.as_secs());
        if self.late.get() {
            return Err(late());
        }
        self.answers.recv_timeout(DEADLINE).unwrap_or_else(|_| {
            self.late.set(true);
            Err(late())
        })
    }
}

fn open() -> Result<RpcConn, String> {
    let address = std::env::var("DBUS_SYSTEM_BUS_ADDRESS").unwrap_or_default();
    let path = socket_path(&address)?;
    let problem = |e: String| format!("{path}: {e}");
    let address =
        rustbus_nix::sys::socket::UnixAddr::new(Path::new(path)).map_err(|e| problem(e.to_string()))?;
    let connection = DuplexConn::connect_to_bus(address, false).map_err(|e| problem(e.to_string()))?;
    let mut connection = RpcConn::new(connection);
    connection.conn_mut().send_hello(Timeout::Duration(DEADLINE)).map_err(|e| problem(e.to_string()))?;
    Ok(connection)
}

/// The socket that an address such as `unix:path=/run/x,guid=y` names.
fn socket_path(address: &str) -> Result<&str, String> {
    if address.is_empty() {
        return Ok(SOCKET);
    }
    let paths = address.split(';').filter_map(|address| {
        let parts = address.strip_prefix("unix:")?.split(',');
        parts.filter_map(|part| part.strip_prefix("path=")).next()
    });
    paths.into_iter().next().ok_or_else(|| format!("the bus's address '{address}' is not supported"))
}

fn carry_out(connection: &mut RpcConn, order: &Order) -> Result<Vec<Value>, String> {
    let [service, object, interface, member] = &order.names;
    let problem = |e: String| format!("{service}: {member}: {e}");
    let call = MessageBuilder::new().call(member.as_str()).on(object.as_str());
    let mut call = call.with_interface(interface.as_str()).at(service.as_str()).build();
    for argument in &order.arguments {
        call.body.push_param(argument.as_str()).map_err(|e| problem(format!("{e:?}")))?;
    }
    let timeout = Timeout::Duration(DEADLINE);
    let serial = connection
        .send_message(&mut call)
        .map_err(|e| problem(e.to_string()))?
        .write(timeout)
        .map_err(rustbus::connection::ll_conn::force_finish_on_error)
        .map_err(|e| problem(e.to_string()))?;
    let answer = connection.wait_response(serial, timeout).map_err(|e| problem(e.to_string()))?;
    if answer.typ == MessageType::Error {
        return Err(problem(answer.dynheader.error_name.unwrap_or_else(|| "an error".to_owned())));
    }
    let answer = answer.unmarshall_all().map_err(|e| problem(format!("{e:?}")))?;
    answer.params.iter().map(|param| value(param, 0).map_err(&problem)).collect()
}

fn value(param: &Param<'_, '_>, depth: usize) -> Result<Value, String> {
    if depth > MAX_DEPTH {
        return Err("the answer is too deep".to_owned());
    }
    let all = |params: &[Param<'_, '_>]| {
        params.iter().map(|param| value(param, depth + 1)).collect::<Result<Vec<_>, _>>()
    };
    Ok(match param {
        Param::Base(base) => Value::Text(text(base)),
        Param::Container(Container::Array(array)) => Value::List(all(&array.values)?),
        Param::Container(Container::Struct(params)) => Value::Struct(all(params)?),
        Param::Container(Container::Variant(variant)) => value(&variant.value, depth + 1)?,
        Param::Container(Container::Dict(dict)) => {
            let named = dict.map.iter().map(|(name, param)| Ok((text(name), value(param, depth + 1)?)));
            let mut named = named.collect::<Result<Vec<_>, String>>()?;
            named.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Named(named)
        }
        // An answer that was read owns what it holds.
        Param::Container(_) => return Err("the answer is in no form that is known".to_owned()),
    })
}

fn text(base: &Base<'_>) -> String {
    match base {
        Base::Boolean(value) => value.to_string(),
        // OpenSCAP writes the character.
        Base::Byte(value) => char::from(*value).to_string(),
        Base::Double(bits) => f64::from_bits(*bits).to_string(),
        Base::Int16(value) => value.to_string(),
        Base::Uint16(value) => value.to_string(),
        Base::Int32(value) => value.to_string(),
        Base::Uint32(value) => value.to_string(),
        Base::Int64(value) => value.to_string(),
        Base::Uint64(value) => value.to_string(),
        Base::String(value) | Base::Signature(value) | Base::ObjectPath(value) => value.clone(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_sockets() {
        assert_eq!(socket_path(""), Ok(SOCKET));
        assert_eq!(socket_path("unix:path=/x,guid=1"), Ok("/x"));
        assert_eq!(socket_path("tcp:host=y;unix:guid=1,path=/x"), Ok("/x"));
        assert!(socket_path("tcp:host=y").is_err());
    }
}
