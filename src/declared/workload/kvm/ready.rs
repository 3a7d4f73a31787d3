//! `ready { … }`: what tells that a guest is up.

use infra_api::target::GuestReady;
use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::{LINE, whole, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "ready",
    label: None,
    doc: "What tells that the guest is up: all that is written. Making, starting and restarting the machine is done when \
          it is so, within `timeouts { ready = … }`, and what depends on it waits for the same. In vain: the step fails \
          and says what was waited for and what the console said last, the machine stays, and the next apply waits \
          again. A machine that was ready is not waited for by a plan that changes nothing of it.",
    attributes: &[
        word(
            "agent",
            Shape::Bool,
            "QEMU's guest agent answers; with `agent = true` of the machine.",
        )
        .default("false"),
        word(
            "lease",
            Shape::Bool,
            "One of its NICs has a lease of libvirt's DHCP.",
        )
        .default("false"),
        whole(
            "port",
            1,
            65535,
            "Its first interface's address takes a TCP connection on this port. It is tried from where infra runs, \
             which must be led to that network.",
        ),
        word(
            "console",
            Shape::Text(&LINE),
            "A line of its serial console has this text since it was started, among the last MiB. The log is then begun \
             anew by each start.",
        ),
        word(
            "cloud_init",
            Shape::Bool,
            "cloud-init has said on the serial console (`console=ttyS0`) that it has finished.",
        )
        .default("false"),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Option<At<GuestReady>> {
    let mut yes = |name| reader.bool(block, name).unwrap_or(false);
    let (agent, lease, cloud_init) = (yes("agent"), yes("lease"), yes("cloud_init"));
    let value = GuestReady {
        agent,
        lease,
        port: reader.whole(block, "port").map(|port| port.value),
        console: reader.string(block, "console").map(|text| text.value),
        cloud_init,
    };
    if value == GuestReady::default() {
        let hint = "write `port = 22`, `console = \"login:\"`, `agent = true`, `lease = true` or `cloud_init = true`";
        reader.error(
            "Ready when?",
            block.span,
            "nothing is written that tells",
            hint,
        );
        return None;
    }
    if value.console.as_deref() == Some("") {
        reader.error(
            "Empty text",
            block.span,
            "every console has it",
            "write a text",
        );
    }
    Some(At {
        value,
        span: block.span,
    })
}
