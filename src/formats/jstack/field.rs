//! A field of a JSON document that may be missing, or have another form than expected: what is dropped is counted.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A field's value.
#[derive(Debug, Default)]
pub(super) enum Field<T> {
    /// There is none, or `null`.
    #[default]
    Absent,
    /// What was expected.
    Read(T),
    /// Something else.
    Foreign,
}

impl<T> Field<T> {
    /// The value, where it is what was expected.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Absent | Self::Foreign => None,
        }
    }

    /// Whether something else was dropped.
    pub fn is_foreign(&self) -> bool {
        matches!(self, Self::Foreign)
    }
}

impl<T> Field<Vec<T>> {
    /// The elements of a list.
    pub fn each(&self) -> impl Iterator<Item = &T> {
        self.get().into_iter().flatten()
    }
}

impl<'d, T: for<'t> Deserialize<'t>> Deserialize<'d> for Field<T> {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        // As text, which is read once more: values within values are not built anew at each level.
        let value = <&RawValue>::deserialize(deserializer)?.get();
        if value == "null" {
            return Ok(Self::Absent);
        }
        Ok(serde_json::from_str(value).map_or(Self::Foreign, Self::Read))
    }
}
