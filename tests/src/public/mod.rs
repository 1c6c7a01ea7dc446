//! Public content, evaluated by stock oscap and by virtscap, and what both say, compared.

pub mod arf;
pub mod cases;
pub mod compare;
pub mod known;
pub mod root;
pub mod run;
pub mod show;
pub mod stream;
