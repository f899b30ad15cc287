#include "edge/hub/joined_frames.h"

#include <algorithm>

namespace confab::edge {

void JoinedFrames::Begin(const EventRun& run) {
  Clear();
  run_ = &run;
}

JoinedFrames::Entry& JoinedFrames::EntryOf(const EventEncoder& encoder) {
  Entry& entry = entries_[encoder.index()];
  if (!entry.singles.empty()) return entry;
  made_.push_back(encoder.index());
  const std::uint64_t before = run_->stamp == nullptr ? 0 : run_->stamp->number();
  for (const EventRun::Told& told : run_->events) {
    if (run_->stamp != nullptr) run_->stamp->Set(told.number);
    entry.singles.push_back(
        encoder.EncodeLogged(told.event->event(), told.event->actor_email(), scratch_));
  }
  if (run_->stamp != nullptr) run_->stamp->Set(before);
  Join(entry);
  return entry;
}

void JoinedFrames::Join(Entry& entry) {
  const std::size_t limit = std::min(kBytesLimit, run_->frame_bytes_limit);
  std::string& bytes = scratch_;
  for (std::size_t next = 0; next < entry.singles.size();) {
    const SharedFrame& first = entry.singles[next++];
    if (!first) continue;
    bytes = first.bytes();
    bool is_alone = true;
    for (; next < entry.singles.size(); ++next) {
      const SharedFrame& frame = entry.singles[next];
      if (bytes.size() + frame.size() > limit) break;
      if (!frame) continue;
      bytes += frame.bytes();
      is_alone = false;
    }
    SharedFrame& made = entry.joined.emplace_back(is_alone ? first : SharedFrame::Copy(bytes));
    if (!is_alone) made.SetPlace(first.place());
  }
}

const std::vector<SharedFrame>& JoinedFrames::ForReader(const EventEncoder& encoder) {
  Entry& entry = EntryOf(encoder);
  ++entry.readers;
  return entry.joined;
}

const SharedFrame& JoinedFrames::Of(const EventEncoder& encoder, std::size_t event) {
  return EntryOf(encoder).singles[event];
}

std::size_t JoinedFrames::ReadersOf(std::size_t event) const {
  std::size_t readers = 0;
  for (const std::size_t index : made_) {
    if (entries_[index].singles[event]) readers += entries_[index].readers;
  }
  return readers;
}

void JoinedFrames::Clear() {
  for (const std::size_t index : made_) {
    entries_[index].singles.clear();
    entries_[index].joined.clear();
    entries_[index].readers = 0;
  }
  made_.clear();
  run_ = nullptr;
}

}  // namespace confab::edge
