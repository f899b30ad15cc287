#include "edge/transport/ring_store.h"

#include <memory>
#include <utility>
#include <vector>

namespace confab::edge {

namespace {
thread_local std::vector<std::unique_ptr<std::uintptr_t[]>> rings;
}  // namespace

std::uintptr_t* RingStore::Take() {
  if (rings.empty()) return new std::uintptr_t[kSlots];
  std::uintptr_t* const ring = rings.back().release();
  rings.pop_back();
  return ring;
}

void RingStore::GiveBack(std::uintptr_t* ring) {
  std::unique_ptr<std::uintptr_t[]> owned(ring);
  if (rings.size() < kKeptLimit) rings.push_back(std::move(owned));
}

std::size_t RingStore::kept() { return rings.size(); }

}  // namespace confab::edge
