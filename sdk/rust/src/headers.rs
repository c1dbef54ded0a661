use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::HashMap;
use std::fmt;

/// Headers in their order, names in any case.
///
/// Each character of a value stands for one byte, U+0000 to U+00FF, because that is what HTTP has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// None at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The first value of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(it, value)| it.eq_ignore_ascii_case(name).then_some(value))
    }

    /// Every value of this name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter().filter_map(move |(it, value)| it.eq_ignore_ascii_case(name).then_some(value))
    }

    /// Adds one, beside others of its name.
    pub fn append(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Puts one in the place of all others of its name.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let name = name.into();
        self.remove(&name);
        self.append(name, value);
    }

    /// Takes all of this name away.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(it, _)| !it.eq_ignore_ascii_case(name));
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Why these can't be sent, if they can't.
    pub(crate) fn fault(&self) -> Option<String> {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let is_value = |it: char| (it as u32) < 0x100 && !matches!(it, '\0' | '\r' | '\n');
        self.iter().find_map(|(name, value)| {
            if name.is_empty() || !name.bytes().all(is_token) {
                Some(format!("{name:?} is no name of a header"))
            } else if !value.chars().all(is_value) {
                Some(format!("the header {name} has a value that HTTP can't say"))
            } else {
                None
            }
        })
    }

    /// Each name once, in lower case, as toru/1 has them.
    pub(crate) fn joined(&self) -> HashMap<String, String> {
        let mut joined: HashMap<String, String> = HashMap::new();
        for (name, value) in self.iter() {
            let name = name.to_ascii_lowercase();
            let separator = if name == "cookie" { "; " } else { ", " };
            joined
                .entry(name)
                .and_modify(|so_far| {
                    so_far.push_str(separator);
                    so_far.push_str(value);
                })
                .or_insert_with(|| value.to_owned());
        }
        joined
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(pairs: T) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// As toru/2 has them: a list of values for each name.
impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        for (number, (name, _)) in self.iter().enumerate() {
            if !self.0[..number].iter().any(|(it, _)| it.eq_ignore_ascii_case(name)) {
                map.serialize_entry(name, &self.all(name).collect::<Vec<_>>())?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(given: D) -> Result<Self, D::Error> {
        struct Lists;

        impl<'de> Visitor<'de> for Lists {
            type Value = Headers;

            fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                out.write_str("a list of texts for each name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
                let mut headers = Headers::new();
                while let Some((name, values)) = map.next_entry::<String, Vec<String>>()? {
                    for value in values {
                        headers.append(name.clone(), value);
                    }
                }
                Ok(headers)
            }
        }

        given.deserialize_map(Lists)
    }
}

#[cfg(test)]
mod tests {
    use super::Headers;

    #[test]
    fn names_are_in_any_case_and_values_in_their_order() {
        let mut headers: Headers = [("Set-Cookie", "a=1"), ("x", "y"), ("set-cookie", "b=2")].into_iter().collect();
        assert_eq!(headers.get("SET-COOKIE"), Some("a=1"));
        assert_eq!(headers.all("set-cookie").collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert_eq!(serde_json::to_string(&headers).unwrap(), r#"{"Set-Cookie":["a=1","b=2"],"x":["y"]}"#);
        headers.set("SET-cookie", "c=3");
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("x", "y"), ("SET-cookie", "c=3")]);
    }

    #[test]
    fn what_http_can_not_say_is_found() {
        let fault = |name: &str, value: &str| [(name, value)].into_iter().collect::<Headers>().fault();
        assert_eq!(fault("x-name", "J\u{f6}rg\t"), None);
        for (name, value) in [("", "a"), ("a b", "c"), ("a:", "b"), ("a", "b\nc"), ("a", "→"), ("ä", "b")] {
            assert!(fault(name, value).is_some(), "{name:?}: {value:?}");
        }
    }
}
