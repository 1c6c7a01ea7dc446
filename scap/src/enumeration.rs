//! One way to write the closed enumerations of the standards.

macro_rules! enumeration {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident => $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Every value as it stands in a document.
            pub const TEXTS: &[&'static str] = &[$($text,)*];

            /// As it stands in a document.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// From the text that stands in a document.
            pub fn from_text(text: &str) -> Option<Self> {
                match text.trim() { $($text => Some(Self::$variant),)* _ => None }
            }

            /// Reads an attribute; none where it is absent.
            ///
            /// # Errors
            /// [`ReadError::BadValue`](crate::xml::ReadError::BadValue) for a text outside of the enumeration.
            pub fn read(
                node: $crate::xml::Node<'_, '_>,
                attribute: &str,
            ) -> Result<Option<Self>, $crate::xml::ReadError> {
                use $crate::xml::NodeExt as _;
                node.attribute(attribute)
                    .map(|text| Self::from_text(text).ok_or_else(|| node.bad_value(text, $what)))
                    .transpose()
            }

            /// Reads an attribute; `default` where it is absent.
            ///
            /// # Errors
            /// [`ReadError::BadValue`](crate::xml::ReadError::BadValue) for a text outside of the enumeration.
            pub fn read_or(
                node: $crate::xml::Node<'_, '_>,
                attribute: &str,
                default: Self,
            ) -> Result<Self, $crate::xml::ReadError> {
                Ok(Self::read(node, attribute)?.unwrap_or(default))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use enumeration;
