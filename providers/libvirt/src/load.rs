//! libvirt's client library, looked for when a daemon is first asked and not when the program starts: it brings some sixty
//! others with it, which take longer than all else that a command without daemons does; and who has no machines need not
//! have it.
//!
//! What the `virt` crate declares and the linker would look for in the library stands here under the same names, so that
//! it finds it here; each is handed on to the library's own.

use std::ffi::{CStr, c_void};
use std::os::raw::{c_char, c_int, c_longlong, c_uchar, c_uint, c_ulong, c_ulonglong};
use std::sync::OnceLock;

use virt::sys::{
    self, virConnectPtr, virDomainInterfacePtr, virDomainJobInfoPtr, virDomainPtr, virErrorFunc,
    virErrorPtr, virNetworkPortPtr, virNetworkPtr, virStoragePoolPtr, virStorageVolInfoPtr,
    virStorageVolPtr, virStreamPtr, virTypedParameterPtr,
};

/// As every libvirt since 2005 calls it.
const LIBRARY: &CStr = c"libvirt.so.0";

/// Looks for the library, once; says why it cannot be used.
pub(crate) fn load() -> Result<(), String> {
    functions().as_ref().map(|_| ()).map_err(Clone::clone)
}

fn functions() -> &'static Result<Functions, String> {
    static FUNCTIONS: OnceLock<Result<Functions, String>> = OnceLock::new();
    FUNCTIONS.get_or_init(|| {
        // SAFETY: the name is a string; the library's own beginning is what it is in any program that uses it.
        let library = unsafe { libc::dlopen(LIBRARY.as_ptr(), libc::RTLD_LAZY | libc::RTLD_LOCAL) };
        match library.is_null() {
            true => Err(trouble()),
            false => Functions::find(library),
        }
    })
}

/// What the loader last said.
fn trouble() -> String {
    // SAFETY: it is asked right after a failure, in the same thread.
    let said = unsafe { libc::dlerror() };
    match said.is_null() {
        true => "it cannot be loaded".to_owned(),
        // SAFETY: what is not null is a string that lives until the loader is called again.
        false => unsafe { CStr::from_ptr(said) }
            .to_string_lossy()
            .into_owned(),
    }
}

fn symbol(library: *mut c_void, name: &CStr) -> Result<*mut c_void, String> {
    // SAFETY: the library was loaded and is never closed; the name is a string.
    let found = unsafe { libc::dlsym(library, name.as_ptr()) };
    match found.is_null() {
        true => Err(format!("{}; a newer libvirt has it", trouble())),
        false => Ok(found),
    }
}

macro_rules! functions {
    ($(fn $name:ident($($arg:ident: $kind:ty),*) $(-> $answer:ty)?;)*) => {
        #[allow(non_snake_case)]
        struct Functions {
            $($name: unsafe extern "C" fn($($kind),*) $(-> $answer)?,)*
        }

        impl Functions {
            fn find(library: *mut c_void) -> Result<Self, String> {
                Ok(Self {
                    $($name: {
                        const NAME: &str = concat!(stringify!($name), "\0");
                        let name = CStr::from_bytes_with_nul(NAME.as_bytes()).unwrap_or_default();
                        let found = symbol(library, name)?;
                        // SAFETY: it is the function of this name, whose type is the one that the `virt` crate declares.
                        unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($kind),*) $(-> $answer)?>(found) }
                    },)*
                })
            }
        }

        $(
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name($($arg: $kind),*) $(-> $answer)? {
                match functions() {
                    // SAFETY: who calls this keeps to what libvirt asks of who calls it.
                    Ok(functions) => unsafe { (functions.$name)($($arg),*) },
                    // Nobody calls it without the library: a connection comes first, and before that [`load`].
                    Err(_) => std::process::abort(),
                }
            }
        )*

        /// That the types are those which are declared.
        const _: () = {
            $(
                let _: [unsafe extern "C" fn($($kind),*) $(-> $answer)?; 2] = [$name, sys::$name];
            )*
        };
    };
}

functions! {
    fn virConnectClose(a: virConnectPtr) -> c_int;
    fn virConnectFindStoragePoolSources(a: virConnectPtr, b: *const c_char, c: *const c_char, d: c_uint) -> *mut c_char;
    fn virConnectGetCapabilities(a: virConnectPtr) -> *mut c_char;
    fn virConnectGetDomainCapabilities(a: virConnectPtr, b: *const c_char, c: *const c_char, d: *const c_char, e: *const c_char, f: c_uint) -> *mut c_char;
    fn virConnectGetHostname(a: virConnectPtr) -> *mut c_char;
    fn virConnectGetLibVersion(a: virConnectPtr, b: *mut c_ulong) -> c_int;
    fn virConnectGetType(a: virConnectPtr) -> *const c_char;
    fn virConnectGetVersion(a: virConnectPtr, b: *mut c_ulong) -> c_int;
    fn virConnectIsAlive(a: virConnectPtr) -> c_int;
    fn virConnectListAllDomains(a: virConnectPtr, b: *mut *mut virDomainPtr, c: c_uint) -> c_int;
    fn virConnectListAllNetworks(a: virConnectPtr, b: *mut *mut virNetworkPtr, c: c_uint) -> c_int;
    fn virConnectListAllStoragePools(a: virConnectPtr, b: *mut *mut virStoragePoolPtr, c: c_uint) -> c_int;
    fn virConnectOpen(a: *const c_char) -> virConnectPtr;
    fn virConnectSetKeepAlive(a: virConnectPtr, b: c_int, c: c_uint) -> c_int;
    fn virDomainAbortJob(a: virDomainPtr) -> c_int;
    fn virDomainAddIOThread(a: virDomainPtr, b: c_uint, c: c_uint) -> c_int;
    fn virDomainAttachDeviceFlags(a: virDomainPtr, b: *const c_char, c: c_uint) -> c_int;
    fn virDomainBlockResize(a: virDomainPtr, b: *const c_char, c: c_ulonglong, d: c_uint) -> c_int;
    fn virDomainCreate(a: virDomainPtr) -> c_int;
    fn virDomainDefineXMLFlags(a: virConnectPtr, b: *const c_char, c: c_uint) -> virDomainPtr;
    fn virDomainDelIOThread(a: virDomainPtr, b: c_uint, c: c_uint) -> c_int;
    fn virDomainDestroy(a: virDomainPtr) -> c_int;
    fn virDomainDetachDeviceFlags(a: virDomainPtr, b: *const c_char, c: c_uint) -> c_int;
    fn virDomainFree(a: virDomainPtr) -> c_int;
    fn virDomainGetAutostart(a: virDomainPtr, b: *mut c_int) -> c_int;
    fn virDomainGetID(a: virDomainPtr) -> c_uint;
    fn virDomainGetJobInfo(a: virDomainPtr, b: virDomainJobInfoPtr) -> c_int;
    fn virDomainGetJobStats(a: virDomainPtr, b: *mut c_int, c: *mut virTypedParameterPtr, d: *mut c_int, e: c_uint) -> c_int;
    fn virDomainGetName(a: virDomainPtr) -> *const c_char;
    fn virDomainGetState(a: virDomainPtr, b: *mut c_int, c: *mut c_int, d: c_uint) -> c_int;
    fn virDomainGetTime(a: virDomainPtr, b: *mut c_longlong, c: *mut c_uint, d: c_uint) -> c_int;
    fn virDomainGetUUIDString(a: virDomainPtr, b: *mut c_char) -> c_int;
    fn virDomainGetXMLDesc(a: virDomainPtr, b: c_uint) -> *mut c_char;
    fn virDomainHasManagedSaveImage(a: virDomainPtr, b: c_uint) -> c_int;
    fn virDomainInterfaceAddresses(a: virDomainPtr, b: *mut *mut virDomainInterfacePtr, c: c_uint, d: c_uint) -> c_int;
    fn virDomainIsActive(a: virDomainPtr) -> c_int;
    fn virDomainIsPersistent(a: virDomainPtr) -> c_int;
    fn virDomainLookupByName(a: virConnectPtr, b: *const c_char) -> virDomainPtr;
    fn virDomainManagedSaveRemove(a: virDomainPtr, b: c_uint) -> c_int;
    fn virDomainMigrateSetMaxDowntime(a: virDomainPtr, b: c_ulonglong, c: c_uint) -> c_int;
    fn virDomainMigrateStartPostCopy(a: virDomainPtr, b: c_uint) -> c_int;
    fn virDomainMigrateToURI3(a: virDomainPtr, b: *const c_char, c: virTypedParameterPtr, d: c_uint, e: c_uint) -> c_int;
    fn virDomainPMWakeup(a: virDomainPtr, b: c_uint) -> c_int;
    fn virDomainPinEmulator(a: virDomainPtr, b: *mut c_uchar, c: c_int, d: c_uint) -> c_int;
    fn virDomainPinIOThread(a: virDomainPtr, b: c_uint, c: *mut c_uchar, d: c_int, e: c_uint) -> c_int;
    fn virDomainPinVcpuFlags(a: virDomainPtr, b: c_uint, c: *mut c_uchar, d: c_int, e: c_uint) -> c_int;
    fn virDomainRef(a: virDomainPtr) -> c_int;
    fn virDomainResume(a: virDomainPtr) -> c_int;
    fn virDomainSetAutostart(a: virDomainPtr, b: c_int) -> c_int;
    fn virDomainSetBlockIoTune(a: virDomainPtr, b: *const c_char, c: virTypedParameterPtr, d: c_int, e: c_uint) -> c_int;
    fn virDomainSetLifecycleAction(a: virDomainPtr, b: c_uint, c: c_uint, d: c_uint) -> c_int;
    fn virDomainSetMemoryFlags(a: virDomainPtr, b: c_ulong, c: c_uint) -> c_int;
    fn virDomainSetMetadata(a: virDomainPtr, b: c_int, c: *const c_char, d: *const c_char, e: *const c_char, f: c_uint) -> c_int;
    fn virDomainSetNumaParameters(a: virDomainPtr, b: virTypedParameterPtr, c: c_int, d: c_uint) -> c_int;
    fn virDomainSetVcpusFlags(a: virDomainPtr, b: c_uint, c: c_uint) -> c_int;
    fn virDomainShutdown(a: virDomainPtr) -> c_int;
    fn virDomainUndefineFlags(a: virDomainPtr, b: c_uint) -> c_int;
    fn virDomainUpdateDeviceFlags(a: virDomainPtr, b: *const c_char, c: c_uint) -> c_int;
    fn virEventRegisterDefaultImpl() -> c_int;
    fn virEventRunDefaultImpl() -> c_int;
    fn virGetLastError() -> virErrorPtr;
    fn virNetworkCreate(a: virNetworkPtr) -> c_int;
    fn virNetworkCreateXML(a: virConnectPtr, b: *const c_char) -> virNetworkPtr;
    fn virNetworkDefineXML(a: virConnectPtr, b: *const c_char) -> virNetworkPtr;
    fn virNetworkDestroy(a: virNetworkPtr) -> c_int;
    fn virNetworkFree(a: virNetworkPtr) -> c_int;
    fn virNetworkGetAutostart(a: virNetworkPtr, b: *mut c_int) -> c_int;
    fn virNetworkGetName(a: virNetworkPtr) -> *const c_char;
    fn virNetworkGetUUIDString(a: virNetworkPtr, b: *mut c_char) -> c_int;
    fn virNetworkGetXMLDesc(a: virNetworkPtr, b: c_uint) -> *mut c_char;
    fn virNetworkIsActive(a: virNetworkPtr) -> c_int;
    fn virNetworkListAllPorts(a: virNetworkPtr, b: *mut *mut virNetworkPortPtr, c: c_uint) -> c_int;
    fn virNetworkLookupByName(a: virConnectPtr, b: *const c_char) -> virNetworkPtr;
    fn virNetworkPortFree(a: virNetworkPortPtr) -> c_int;
    fn virNetworkPortGetUUIDString(a: virNetworkPortPtr, b: *mut c_char) -> c_int;
    fn virNetworkRef(a: virNetworkPtr) -> c_int;
    fn virNetworkSetAutostart(a: virNetworkPtr, b: c_int) -> c_int;
    fn virNetworkUndefine(a: virNetworkPtr) -> c_int;
    fn virNetworkUpdate(a: virNetworkPtr, b: c_uint, c: c_uint, d: c_int, e: *const c_char, f: c_uint) -> c_int;
    fn virSetErrorFunc(a: *mut c_void, b: virErrorFunc);
    fn virStoragePoolBuild(a: virStoragePoolPtr, b: c_uint) -> c_int;
    fn virStoragePoolCreate(a: virStoragePoolPtr, b: c_uint) -> c_int;
    fn virStoragePoolCreateXML(a: virConnectPtr, b: *const c_char, c: c_uint) -> virStoragePoolPtr;
    fn virStoragePoolDefineXML(a: virConnectPtr, b: *const c_char, c: c_uint) -> virStoragePoolPtr;
    fn virStoragePoolDelete(a: virStoragePoolPtr, b: c_uint) -> c_int;
    fn virStoragePoolDestroy(a: virStoragePoolPtr) -> c_int;
    fn virStoragePoolFree(a: virStoragePoolPtr) -> c_int;
    fn virStoragePoolGetAutostart(a: virStoragePoolPtr, b: *mut c_int) -> c_int;
    fn virStoragePoolGetName(a: virStoragePoolPtr) -> *const c_char;
    fn virStoragePoolGetUUIDString(a: virStoragePoolPtr, b: *mut c_char) -> c_int;
    fn virStoragePoolGetXMLDesc(a: virStoragePoolPtr, b: c_uint) -> *mut c_char;
    fn virStoragePoolIsActive(a: virStoragePoolPtr) -> c_int;
    fn virStoragePoolListAllVolumes(a: virStoragePoolPtr, b: *mut *mut virStorageVolPtr, c: c_uint) -> c_int;
    fn virStoragePoolLookupByName(a: virConnectPtr, b: *const c_char) -> virStoragePoolPtr;
    fn virStoragePoolLookupByTargetPath(a: virConnectPtr, b: *const c_char) -> virStoragePoolPtr;
    fn virStoragePoolRefresh(a: virStoragePoolPtr, b: c_uint) -> c_int;
    fn virStoragePoolSetAutostart(a: virStoragePoolPtr, b: c_int) -> c_int;
    fn virStoragePoolUndefine(a: virStoragePoolPtr) -> c_int;
    fn virStorageVolCreateXML(a: virStoragePoolPtr, b: *const c_char, c: c_uint) -> virStorageVolPtr;
    fn virStorageVolCreateXMLFrom(a: virStoragePoolPtr, b: *const c_char, c: virStorageVolPtr, d: c_uint) -> virStorageVolPtr;
    fn virStorageVolDelete(a: virStorageVolPtr, b: c_uint) -> c_int;
    fn virStorageVolDownload(a: virStorageVolPtr, b: virStreamPtr, c: c_ulonglong, d: c_ulonglong, e: c_uint) -> c_int;
    fn virStorageVolFree(a: virStorageVolPtr) -> c_int;
    fn virStorageVolGetInfo(a: virStorageVolPtr, b: virStorageVolInfoPtr) -> c_int;
    fn virStorageVolGetKey(a: virStorageVolPtr) -> *const c_char;
    fn virStorageVolGetName(a: virStorageVolPtr) -> *const c_char;
    fn virStorageVolGetPath(a: virStorageVolPtr) -> *mut c_char;
    fn virStorageVolGetXMLDesc(a: virStorageVolPtr, b: c_uint) -> *mut c_char;
    fn virStorageVolLookupByName(a: virStoragePoolPtr, b: *const c_char) -> virStorageVolPtr;
    fn virStorageVolRef(a: virStorageVolPtr) -> c_int;
    fn virStorageVolResize(a: virStorageVolPtr, b: c_ulonglong, c: c_uint) -> c_int;
    fn virStorageVolUpload(a: virStorageVolPtr, b: virStreamPtr, c: c_ulonglong, d: c_ulonglong, e: c_uint) -> c_int;
    fn virStreamAbort(a: virStreamPtr) -> c_int;
    fn virStreamEventRemoveCallback(a: virStreamPtr) -> c_int;
    fn virStreamFinish(a: virStreamPtr) -> c_int;
    fn virStreamFree(a: virStreamPtr) -> c_int;
    fn virStreamNew(a: virConnectPtr, b: c_uint) -> virStreamPtr;
    fn virStreamRecv(a: virStreamPtr, b: *mut c_char, c: usize) -> c_int;
    fn virStreamSend(a: virStreamPtr, b: *const c_char, c: usize) -> c_int;
    fn virTypedParamsAddULLong(a: *mut virTypedParameterPtr, b: *mut c_int, c: *mut c_int, d: *const c_char, e: c_ulonglong) -> c_int;
    fn virTypedParamsFree(a: virTypedParameterPtr, b: c_int);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_has_what_is_asked_of_it() {
        assert_eq!(load(), Ok(()));
    }

    #[test]
    fn what_is_not_there_is_said() {
        let library = unsafe_library();
        let why = symbol(library, c"virNothing").unwrap_err();
        assert!(why.contains("virNothing"), "{why}");
    }

    fn unsafe_library() -> *mut c_void {
        // SAFETY: as above.
        unsafe { libc::dlopen(LIBRARY.as_ptr(), libc::RTLD_LAZY) }
    }
}
