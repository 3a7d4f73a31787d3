//! Where facts are read from: the live machine, or a saved copy of it in a directory.
//!
//! Paths are relative to the root, without a slash at the front: `sys/devices/system/cpu`.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// What reading facts needs of a machine. [`Root`] is a directory; a recording and a connection
/// to another host are the same thing.
pub trait Tree {
    /// The bytes of a file.
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.head(path, MAX_FILE)
    }
    /// The first bytes of a file, no more than so many. What the kernel writes as it is read may be long in the making.
    fn head(&self, path: &str, most: u64) -> io::Result<Vec<u8>>;
    /// The names in a directory, sorted.
    fn list(&self, path: &str) -> io::Result<Vec<String>>;
    /// What a symlink says, whether or not that is there.
    fn link(&self, path: &str) -> io::Result<String>;
}

/// The files facts are made of are small; what is larger is no such file.
const MAX_FILE: u64 = 4 << 20;

/// As many symlinks as Linux follows in one path.
const MAX_LINKS: u32 = 40;

/// A directory that holds `sys/` and `proc/`.
#[derive(Debug, Clone)]
pub struct Root {
    base: PathBuf,
}

impl Root {
    /// This machine.
    pub fn live() -> Root {
        Root::at("/")
    }

    /// A saved tree. Its symlinks are followed as if it were `/`: none leads out of it.
    pub fn at(directory: impl Into<PathBuf>) -> Root {
        Root {
            base: directory.into(),
        }
    }

    /// Where a path leads. Symlinks are followed one by one, as the kernel would with this
    /// directory as its root: what is returned holds no symlink and no `..`.
    fn real(&self, path: &str) -> io::Result<PathBuf> {
        // The kernel itself does it best.
        if self.base == Path::new("/") {
            return Ok(self.base.join(path));
        }
        let mut links = 0;
        let mut done = PathBuf::new();
        let mut rest = components(Path::new(path));
        while let Some(step) = rest.pop_front() {
            if step.as_os_str() == ".." {
                done.pop();
                continue;
            }
            let here = self.base.join(&done).join(&step);
            if !fs::symlink_metadata(&here)?.is_symlink() {
                done.push(step);
                continue;
            }
            links += 1;
            if links > MAX_LINKS {
                return Err(io::Error::other("too many symlinks"));
            }
            let target = fs::read_link(&here)?;
            if target.is_absolute() {
                done = PathBuf::new();
            }
            let mut steps = components(&target);
            steps.append(&mut rest);
            rest = steps;
        }
        Ok(self.base.join(done))
    }
}

/// The steps of a path: names and `..`.
fn components(path: &Path) -> VecDeque<PathBuf> {
    let steps = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(PathBuf::from(name)),
        Component::ParentDir => Some(PathBuf::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    steps.collect()
}

impl Tree for Root {
    fn head(&self, path: &str, most: u64) -> io::Result<Vec<u8>> {
        let path = self.real(path)?;
        // Opening a pipe that lies in a saved tree would wait for its writer.
        if !fs::metadata(&path)?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let mut bytes = Vec::new();
        File::open(path)?
            .take(most.min(MAX_FILE))
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(self.real(path)?)?;
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let mut names: Vec<String> = names.collect::<io::Result<_>>()?;
        names.sort();
        Ok(names)
    }

    fn link(&self, path: &str) -> io::Result<String> {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        let target = fs::read_link(self.real(directory)?.join(name))?;
        Ok(target.to_string_lossy().into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn tree() -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("root/sys/a")).unwrap();
        fs::write(dir.path().join("secret"), "outside").unwrap();
        fs::write(dir.path().join("root/sys/a/file"), "inside").unwrap();
        let root = Root::at(dir.path().join("root"));
        (dir, root)
    }

    #[test]
    fn links_are_followed_inside() {
        let (dir, root) = tree();
        let sys = dir.path().join("root/sys");
        symlink("a", sys.join("b")).unwrap();
        symlink("/sys/b/file", sys.join("absolute")).unwrap();
        assert_eq!(root.read("sys/b/file").unwrap(), b"inside");
        assert_eq!(root.read("sys/absolute").unwrap(), b"inside");
        assert_eq!(root.link("sys/absolute").unwrap(), "/sys/b/file");
        assert!(root.link("sys/a").is_err());
        assert_eq!(root.list("sys").unwrap(), ["a", "absolute", "b"]);
    }

    #[test]
    fn nothing_leads_out() {
        let (dir, root) = tree();
        let sys = dir.path().join("root/sys");
        symlink("../../secret", sys.join("up")).unwrap();
        symlink(dir.path().join("secret"), sys.join("absolute")).unwrap();
        symlink("loop", sys.join("loop")).unwrap();
        for path in [
            "sys/up",
            "sys/absolute",
            "sys/loop",
            "../secret",
            "sys/../../secret",
        ] {
            assert!(root.read(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_directory_is_no_file() {
        let (_dir, root) = tree();
        assert!(root.read("sys/a").is_err());
        assert!(root.list("sys/a/file").is_err());
    }
}
