// encoder_table.h: every event encoder of one io thread: one for each pair of dialect and
// namespace, and one for each native form.
// Owns: the encoders.   Used by: sessions (choose theirs), io_thread (sizes the hub by it).
// Threads: immutable; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "edge/connection/event_encoder.h"
#include "edge/dialect/dialect_set.h"
#include "edge/recovery/offset.h"

namespace confab::edge {

class EncoderTable {
 public:
  // `dialects` outlives the table, and so does what `recovering` refers to.
  EncoderTable(const DialectSet& dialects, const std::vector<std::string>& namespaces,
               const RecoveringDialects& recovering = {});

  const EventEncoder& Native(NativeForm form) const {
    return form == NativeForm::kJson ? json_ : binary_;
  }
  // Both by their place: in the DialectSet, in the list of namespaces.
  const EventEncoder& SocketIo(std::size_t dialect, std::size_t nsp) const {
    return pairs_.at(dialect * namespaces_count_ + nsp);
  }

  // One more than the greatest index of an encoder.
  std::size_t size() const { return kNatives + pairs_.size(); }

 private:
  static constexpr std::size_t kNatives = 2;

  const NativeEventEncoder json_{0, NativeForm::kJson};
  const NativeEventEncoder binary_{1, NativeForm::kBinary};
  const std::size_t namespaces_count_;
  std::vector<SocketIoEventEncoder> pairs_;  // All namespaces of the first dialect, of the second…
};

}  // namespace confab::edge
