// failpoint.h: places where a test build can be told to die or to wait, so that the fault bench hits
// moments that a kill from outside meets once in a thousand times. The environment says where:
//   CONFAB_FAILPOINTS="commit.done=kill@3;publish.before=wait:2s"
// the third time the process comes to commit.done it kills itself (SIGKILL: nothing is flushed,
// nobody told); the first thread that comes to publish.before waits 2 s. Each point strikes once.
// CONFAB_FAILPOINT() is nothing, and none of this is linked, unless CMake's option CONFAB_FAILPOINTS
// is on: who uses it links confab_failpoints, which says so.
// Threads: armed before there are others; any thread passes.
#pragma once

#include <cstddef>
#include <iterator>
#include <string_view>

#include <absl/status/status.h>

#ifndef CONFAB_FAILPOINTS
#error "link confab_failpoints"
#endif

namespace confab::process {

// In the order in which a message comes to them. Names: kFailpointNames.
enum class Failpoint {
  kCommitBefore,   // A batch is about to be given to the store.
  kCommitDone,     // It is committed; nobody knows yet.
  kPublishBefore,  // An event of it is about to be broadcast.
  kAckBefore,      // It is broadcast; its sender is about to be answered.
  kLinkWrite,  // A batch is about to be written to the stream between edge and control, either way.
  kEdgeDeliver,  // An io thread is about to hand out what control has sent.
};

#if CONFAB_FAILPOINTS

inline constexpr std::string_view kFailpointNames[] = {
    "commit.before", "commit.done", "publish.before", "ack.before", "link.write", "edge.deliver"};
inline constexpr std::size_t kFailpoints = std::size(kFailpointNames);

// `text` as the environment has it; empty: none. What was armed before is not any more.
absl::Status ArmFailpoints(std::string_view text);

// By CONFAB_FAILPOINTS. Says in the log what is armed.
absl::Status ArmFailpointsByEnvironment();

void PassFailpoint(Failpoint point);

#define CONFAB_FAILPOINT(point) \
  ::confab::process::PassFailpoint(::confab::process::Failpoint::point)

#else

inline absl::Status ArmFailpointsByEnvironment() { return absl::OkStatus(); }

#define CONFAB_FAILPOINT(point) static_cast<void>(0)

#endif

}  // namespace confab::process
