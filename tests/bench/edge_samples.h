// edge_samples.h: what the benchmarks of the edge carry: one message with 200 bytes of content, as the
// load generators send it, in every form it has on its way.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "confab/v1/client.pb.h"
#include "confab/v1/edge_link.pb.h"

namespace confab::edge {

inline constexpr std::uint64_t kSampleConnection = 0x101;
inline constexpr std::uint64_t kSampleReply = 17;

// As a client sends it: a whole Engine.IO text packet, which asks for an ack.
std::string SampleSend();
// What that asks.
v1::Command SampleCommand();
// The same in a native client's frame.
v1::ClientFrame SampleClientFrame();
// What control says when it is stored.
v1::Result SampleResult();
v1::RoomEvent SampleEvent();

}  // namespace confab::edge
