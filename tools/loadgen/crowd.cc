#include "tools/loadgen/crowd.h"

#include <fmt/format.h>

#include "tools/loadgen/opening_failure.h"
#include "tools/loadgen/room_builder.h"

namespace confab::loadgen {

Crowd::Crowd(const Home& home) : home_(home), client_home_(home.loop.io(), *this) {
  clients_.reserve(home.plan.members());
  for (uint32_t member = 0; member < home.plan.members(); ++member) {
    clients_.push_back(std::make_unique<ChatClient>(client_home_, member));
  }
}

std::string Crowd::WhereIs(uint32_t member) const {
  return home_.places[member % home_.places.size()].target.Show();
}

void Crowd::Open(uint32_t member) {
  const Place& place = home_.places[member % home_.places.size()];
  Visit visit{.endpoint = place.endpoint,
              .source = {},
              .host_header = place.target.host_header,
              .socket_path = place.target.socket_path,
              .token = home_.tokens.TokenOf(member),
              .room = RoomName(home_.run, home_.plan.RoomOf(member))};
  if (!home_.sources.empty()) {
    visit.source = home_.sources[member / home_.places.size() % home_.sources.size()];
  }
  clients_[member]->Open(std::move(visit));
}

Failure Crowd::OpenAll(uint32_t at_once, absl::Duration at_most) {
  is_opening_ = true;
  const auto all = static_cast<uint32_t>(clients_.size());
  const auto is_over = [&] {
    while (!failure_.happened() && opened_ < all && opened_ - ready_ < at_once) Open(opened_++);
    return failure_.happened() || ready_ == all;
  };
  const bool is_so = home_.loop.RunUntil(is_over, at_most);
  is_opening_ = false;
  if (is_so || home_.loop.is_interrupted()) return failure_;
  return {Exit::kUnreachable,
          fmt::format("{}: {} of {} connections were opened within {}; ask for fewer, give more "
                      "--setup-time, or start the edge with --rate-accepts off",
                      WhereIs(0), ready_, all, absl::FormatDuration(at_most))};
}

void Crowd::OnReady(ChatClient& client, int64_t last_seq) {
  ++ready_;
  if (listener_ != nullptr) listener_->OnReady(client, last_seq);
}

void Crowd::OnAnswer(ChatClient& client, uint64_t number, const Answer& answer, int64_t now) {
  if (listener_ != nullptr) listener_->OnAnswer(client, number, answer, now);
}

void Crowd::OnEvent(ChatClient& client, const RoomEvent& event, int64_t now) {
  if (listener_ != nullptr) listener_->OnEvent(client, event, now);
}

void Crowd::OnEnded(ChatClient& client, const Ending& ending) {
  if (ending.stage == Stage::kReady) --ready_;
  if (is_opening_ && !failure_.happened()) failure_ = FailureOf(ending, WhereIs(client.member()));
  if (listener_ != nullptr) listener_->OnEnded(client, ending);
}

}  // namespace confab::loadgen
