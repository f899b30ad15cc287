// offset.h: the last argument of each event in dialects with recovery, "edge.epoch.number": how much
// of what the edge tells its reader has when this event reaches it.
// Owns: the stamp of an io thread its number.   Used by: event_encoder, socketio_connection.
// Threads: OffsetStamp is confined to the io thread; the functions are pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace confab::edge {

// A number is how many broadcasts the edge had handed on, and below that 0; or, in a frame that one
// connection alone is given, which of these it is, from 1 on.
inline constexpr int kAloneBits = 20;
inline constexpr std::uint64_t kAloneLimit = (std::uint64_t{1} << kAloneBits) - 1;

constexpr std::uint64_t NumberOf(std::uint64_t broadcasts, std::uint64_t alone = 0) {
  return broadcasts << kAloneBits | alone;
}
constexpr std::uint64_t BroadcastsOf(std::uint64_t number) { return number >> kAloneBits; }
constexpr std::uint64_t AloneOf(std::uint64_t number) { return number & kAloneLimit; }

struct Offset {
  std::string_view edge_id;
  std::uint64_t epoch = 0;
  std::uint64_t number = 0;
};

// Longer ones are none: the name of an edge has 128 bytes at most.
inline constexpr std::size_t kOffsetBytesLimit = 192;

// Views the text. nullopt: it is none of ours.
std::optional<Offset> ParseOffset(std::string_view text);

// "edge.epoch."; what stands before the number.
std::string OffsetBeginning(std::string_view edge_id, std::uint64_t epoch);

class OffsetStamp {
 public:
  // `beginning` is JSON text (no quotes around it), the same for the whole edge; it outlives this
  // object, and is there before the first Append.
  explicit OffsetStamp(const std::string& beginning) : beginning_(beginning) {}

  // Of what is encoded from now on.
  void Set(std::uint64_t number) { number_ = number; }
  std::uint64_t number() const { return number_; }

  // Adds the offset to the JSON array that ends `out`, which is not empty.
  void Append(std::string& out) const;

 private:
  const std::string& beginning_;
  std::uint64_t number_ = 0;
};

// Whose events have offsets.
struct RecoveringDialects {
  const std::vector<bool>* dialects =
      nullptr;                   // By place in the DialectSet; null, or too short: none.
  OffsetStamp* stamp = nullptr;  // The thread's.

  // Null: that dialect's have none.
  OffsetStamp* StampOf(std::size_t dialect) const {
    const bool has_them =
        dialects != nullptr && dialect < dialects->size() && dialects->at(dialect);
    return has_them ? stamp : nullptr;
  }
};

}  // namespace confab::edge
