// topic_table.h: which io threads of this edge want a topic, and how far the edge has distributed
// it. Pure.
// Owns: one entry for each topic with subscribers.   Used by: distributor.
// Threads: caller serialises.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/container/inlined_vector.h>

namespace confab::edge {

class TopicTable {
 public:
  using ThreadMask = std::uint64_t;
  static constexpr std::size_t kThreadsLimit = 64;  // Bits of a mask.

  // A Subscribe item goes to that thread. Returns its number within this edge's life.
  std::uint64_t OnSubscribe(std::string_view topic, std::size_t thread, std::int64_t from_seq);

  // A topic that a connection of that thread has by itself ("user:7"), without a Subscribe item.
  void OnWanted(std::string_view topic, std::size_t thread);

  enum class Verdict { kDeliver, kDuplicate, kGap, kUnwanted };
  struct Passing {
    Verdict verdict = Verdict::kUnwanted;
    ThreadMask threads = 0;  // It is to be delivered to.
  };
  // An event of a room's log comes by. kDeliver: it is the next one, and counts as distributed.
  Passing OnEvent(std::string_view topic, std::int64_t seq);

  // 0: nobody.
  ThreadMask ThreadsOf(std::string_view topic) const;

  // The thread has no subscriber left, and had seen Subscribe items up to that number. True: so has
  // the whole edge; the topic is forgotten.
  bool OnReleased(std::string_view topic, std::size_t thread, std::uint64_t subscribes_seen);

  std::uint64_t subscribes() const { return subscribes_; }
  // Every topic with its position.
  std::vector<std::pair<std::string, std::int64_t>> Positions() const;
  std::size_t size() const { return topics_.size(); }

 private:
  struct Wish {
    std::uint8_t thread = 0;
    std::uint64_t last_subscribe = 0;
  };
  struct Entry {
    std::string name;
    std::int64_t position = 0;
    absl::InlinedVector<Wish, 2> wishes;
  };

  static ThreadMask MaskOf(const Entry& entry);
  Wish& WishOf(std::string_view topic, std::size_t thread, std::int64_t position);

  absl::flat_hash_map<std::string_view, std::unique_ptr<Entry>, std::hash<std::string_view>,
                      std::equal_to<>>
      topics_;
  std::uint64_t subscribes_ = 0;
};

}  // namespace confab::edge
