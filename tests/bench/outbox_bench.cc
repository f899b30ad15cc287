// Frames that wait for one socket: appended, handed to the kernel's side, consumed.
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <sys/uio.h>
#include <vector>

#include "edge/transport/outbox.h"
#include "tests/bench/edge_benches.h"

namespace confab::edge {

namespace {

using benchmark::DoNotOptimize;
using benchmark::State;
using tests::Require;

constexpr std::size_t kFrameBytes = 364;  // Of a message as it is delivered.
constexpr std::size_t kAckBytes = 120;
constexpr int kSockets = 1'000;

// So many frames of all, then one write as output_layer does it: alone in place, several copied
// together.
void AppendAndFlush(State& state, int frames) {
  const SharedFrame frame = SharedFrame::Copy(std::string(kFrameBytes, 'x'));
  std::array<char, 64 * 1024> buffer{};
  Outbox outbox;
  for (auto _ : state) {
    for (int i = 0; i < frames; ++i) {
      DoNotOptimize(outbox.TryAppend(frame, DeliveryClass::kLogged));
    }
    if (frames == 1) {
      std::array<iovec, 1> piece{};
      DoNotOptimize(outbox.Peek(piece));
      DoNotOptimize(piece);
    } else {
      DoNotOptimize(outbox.CopyTo(buffer));
    }
    outbox.Consume(outbox.bytes());
  }
  Require(outbox.empty(), "frames were left");
}

// So many frames to each of many sockets in one turn, as in a room with messages under way.
void Burst(State& state, int frames) {
  const SharedFrame frame = SharedFrame::Copy(std::string(kFrameBytes, 'x'));
  std::array<char, 64 * 1024> buffer{};
  std::vector<std::unique_ptr<Outbox>> outboxes;
  for (int i = 0; i < kSockets; ++i) outboxes.push_back(std::make_unique<Outbox>());
  for (auto _ : state) {
    for (int i = 0; i < frames; ++i) {
      for (const auto& outbox : outboxes) {
        DoNotOptimize(outbox->TryAppend(frame, DeliveryClass::kLogged));
      }
    }
    for (const auto& outbox : outboxes) {
      DoNotOptimize(outbox->CopyTo(buffer));
      outbox->Consume(outbox->bytes());
    }
  }
  for (const auto& outbox : outboxes) Require(outbox->empty(), "frames were left");
}

// A frame of this socket alone, an ack.
void AppendBytes(State& state) {
  const std::string bytes(kAckBytes, 'x');
  Outbox outbox;
  for (auto _ : state) {
    DoNotOptimize(outbox.AppendBytes(bytes, DeliveryClass::kControl));
    outbox.Consume(outbox.bytes());
  }
}

}  // namespace

void AddOutboxBenches(tests::BenchList& list) {
  for (const int frames : {1, 4, 16, 64}) {
    list.Add({"outbox/append_and_flush/" + std::to_string(frames), "frame", frames, 2'000 / frames,
              [frames](State& state) { AppendAndFlush(state, frames); }});
  }
  list.Add({"outbox/burst/16", "frame", 16 * kSockets, 2, [](State& state) { Burst(state, 16); }});
  list.Add({"outbox/append_bytes", "frame", 1, 1'000, AppendBytes});
}

}  // namespace confab::edge
