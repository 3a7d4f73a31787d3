//! IOMMU groups: which devices can only be handed on together.

use infra_api::facts::IommuGroup;

use crate::reader::Reader;

const GROUPS: &str = "sys/kernel/iommu_groups";

pub(crate) fn read(reader: &Reader<'_>) -> Vec<IommuGroup> {
    let ids = reader.ids(GROUPS, "");
    let group = |id: u32| IommuGroup {
        id,
        devices: reader.names(&format!("{GROUPS}/{id}/devices")),
    };
    ids.iter().map(group).collect()
}
