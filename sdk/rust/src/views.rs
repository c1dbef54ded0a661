use crate::toru2::link::Link;
use crate::{PluginError, PluginResult};
use serde::Serialize;
use serde_json::value::RawValue;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const LARGEST_NAME: usize = 64;
const LARGEST_DATA: usize = 16_384;

/// The views of the plugin that are open in browsers.
#[derive(Clone, Default)]
pub struct Views(Arc<Mutex<Vec<Arc<Link>>>>);

impl Views {
    /// An event for all of them. There is no memory: who comes later asks the plugin. With an older core there are no
    /// views.
    ///
    /// A plugin may push 100 at once and 20 a second; the core drops what goes beyond.
    ///
    /// # Errors
    ///
    /// Where the name has other than 1 to 64 letters, digits and `-._~`, and where the data has more than 16 384
    /// characters as JSON.
    pub fn push(&self, name: &str, data: &impl Serialize) -> PluginResult<()> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !(1..=LARGEST_NAME).contains(&name.len()) || !name.bytes().all(is_allowed) {
            return Err(PluginError::Protocol(format!("{name:?} is no name of an event")));
        }
        let data = serde_json::value::to_raw_value(data)?;
        let length = data.get().chars().count();
        if length > LARGEST_DATA {
            return Err(PluginError::Protocol(format!("an event with {length} characters is over {LARGEST_DATA}")));
        }
        self.push_json(name, &data);
        Ok(())
    }

    fn push_json(&self, name: &str, data: &RawValue) {
        let _ = self.lock().iter().any(|link| link.lock().push(name, data));
    }

    pub(crate) fn remember(&self, link: &Arc<Link>) {
        self.lock().push(Arc::clone(link));
    }

    pub(crate) fn forget(&self, link: &Arc<Link>) {
        self.lock().retain(|it| !Arc::ptr_eq(it, link));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Link>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Views {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Views")
    }
}

#[cfg(test)]
mod tests {
    use super::Views;

    #[test]
    fn a_push_that_toru_would_drop_is_an_error() {
        let views = Views::default();
        assert!(views.push("tick", &1).is_ok());
        assert!(views.push("", &1).is_err());
        assert!(views.push("a b", &1).is_err());
        assert!(views.push(&"a".repeat(65), &1).is_err());
        assert!(views.push("a", &"→".repeat(16_382)).is_ok());
        assert!(views.push("a", &"→".repeat(16_383)).is_err());
    }
}
