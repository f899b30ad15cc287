// inbox_progress.h: how far one connection has come in its user's inbox: what waited is read page by
// page, then live ones follow; each once and in order. Pure.
// Owns: the page that is being handed over.   Used by: notification_outlet.
// Threads: confined to the io thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "confab/v1/edge_link.pb.h"

namespace confab::edge {

class InboxProgress {
 public:
  // Control says how far the inbox is; again when the edge has attached anew. Nothing is said of one
  // that never had anything: the first live one is number 1. One that comes before control has said
  // it shows a gap.
  void OnState(std::int64_t acked_seq, std::int64_t last_seq) {
    seq_ = std::max(seq_, acked_seq);
    newest_ = std::max(newest_, last_seq);
  }

  // A live one came. True: it is the next, and counts as handed over. False: it was, or it will be
  // read, with what is between, when there is room.
  bool OnLive(std::int64_t seq, bool has_room) {
    const bool is_next = has_room && seq == seq_ + 1 && newest_ <= seq_ && !is_asking_ && !page_;
    newest_ = std::max(newest_, seq);
    if (is_next) seq_ = seq;
    return is_next;
  }

  // Last one that was handed over, or need not be.
  std::int64_t seq() const { return seq_; }

  // From `first_seq` on what was handed over has not reached the client: it is read again.
  void GoBack(std::int64_t first_seq) {
    if (first_seq > seq_) return;
    newest_ = std::max(newest_, seq_);
    seq_ = first_seq - 1;
    page_.reset();
  }

  // True: a page behind seq() is to be asked for now.
  bool WantsPage() const { return !is_asking_ && !page_ && newest_ > seq_; }
  void OnAsked() {
    is_asking_ = true;
    asked_after_ = seq_;
  }
  // No answer came; WantsPage again.
  void OnNoPage() { is_asking_ = false; }
  void OnPage(const v1::InboxPage& page) {
    if (std::exchange(is_asking_, false) && asked_after_ > seq_) return;  // It went back meanwhile.
    // It brings nothing: what was said to be there is gone.
    if (page.through_seq() <= seq_) newest_ = seq_;
    page_ = page;
    next_ = 0;
  }

  // The next to hand over, nullptr: none at hand. Take() moves on behind it.
  const v1::Notification* Next() {
    if (!page_) return nullptr;
    while (next_ < page_->notifications_size() && page_->notifications(next_).inbox_seq() <= seq_) {
      ++next_;
    }
    if (next_ < page_->notifications_size()) return &page_->notifications(next_);
    seq_ = std::max(seq_, page_->through_seq());
    page_.reset();
    return nullptr;
  }
  void Take() { seq_ = page_->notifications(next_++).inbox_seq(); }
  // What of the page is left is asked for anew.
  void DropPage() {
    if (!page_) return;
    newest_ = std::max(newest_, page_->through_seq());
    page_.reset();
  }

 private:
  std::int64_t seq_ = 0;
  std::int64_t newest_ = 0;
  std::optional<v1::InboxPage> page_;
  int next_ = 0;  // Of the page's notifications.
  std::int64_t asked_after_ = 0;
  bool is_asking_ = false;
};

}  // namespace confab::edge
