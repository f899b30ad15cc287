// append_batch.h: requests that are appended together, seen where they lie: side by side, or each
// within what somebody else keeps of it. Nothing is moved to be written, and moved back for a retry.
// Measured by queue/commit/64.
// Owns: nothing; what it was made from outlives it.
// Threads: immutable.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <vector>

#include <absl/types/span.h>

#include "storage/records.h"

namespace confab::storage {

class AppendBatch {
 public:
  class Iterator {
   public:
    Iterator(const AppendBatch& batch, size_t index) : batch_(batch), index_(index) {}
    const AppendRequest& operator*() const { return batch_[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.index_ == b.index_; }

   private:
    const AppendBatch& batch_;
    size_t index_;
  };

  // NOLINTBEGIN(google-explicit-constructor): a view, as absl::Span is.
  AppendBatch(absl::Span<const AppendRequest> requests)
      : requests_(requests.data()), size_(requests.size()) {}
  AppendBatch(const std::vector<AppendRequest>& requests)
      : AppendBatch(absl::MakeConstSpan(requests)) {}
  AppendBatch(std::initializer_list<AppendRequest> requests)
      : AppendBatch(absl::MakeConstSpan(requests.begin(), requests.size())) {}
  AppendBatch(absl::Span<const AppendRequest* const> requests)
      : pointers_(requests.data()), size_(requests.size()) {}
  // NOLINTEND(google-explicit-constructor)

  size_t size() const { return size_; }
  const AppendRequest& operator[](size_t i) const {
    return pointers_ != nullptr ? *pointers_[i] : requests_[i];
  }
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size_}; }

 private:
  const AppendRequest* requests_ = nullptr;
  const AppendRequest* const* pointers_ = nullptr;  // Null: side by side.
  size_t size_ = 0;
};

}  // namespace confab::storage
