#include "edge/connection/address_table.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "proto/reason.h"

namespace confab::edge {

namespace {

// Until one of an address's sessions has probably ended: pages are reloaded, phones lose the net.
constexpr std::uint32_t kSessionsWaitMs = 5'000;

// A full table is looked through once in so long, which takes some milliseconds.
constexpr std::chrono::seconds kSweepInterval(1);

}  // namespace

AddressTicket::AddressTicket(AddressTable& table, const ClientAddress& client)
    : table_(client.is_exempt ? nullptr : &table), address_(client.address) {}

std::optional<v1::Error> AddressTicket::CheckLogin(SteadyTime now) const {
  if (table_ == nullptr) return std::nullopt;
  return table_->CheckLogin(address_, now);
}

void AddressTicket::CountFailedLogin(SteadyTime now) const {
  if (table_ != nullptr) table_->CountFailedLogin(address_, now);
}

AddressSlot::AddressSlot(AddressSlot&& other) noexcept
    : ticket_(other.ticket_), is_counted_(std::exchange(other.is_counted_, false)) {}

AddressSlot& AddressSlot::operator=(AddressSlot&& other) noexcept {
  if (this == &other) return *this;
  GiveBack();
  ticket_ = other.ticket_;
  is_counted_ = std::exchange(other.is_counted_, false);
  return *this;
}

void AddressSlot::GiveBack() {
  if (std::exchange(is_counted_, false)) ticket_.table_->Close(ticket_.address_);
}

AddressTable::AddressTable(const AddressLimits& limits, Counters counters,
                           std::size_t addresses_limit)
    : counters_(counters), addresses_limit_(addresses_limit), limits_(limits) {}

void AddressTable::SetLimits(const AddressLimits& limits) {
  const process::MutexLock lock(mu_);
  limits_ = limits;
}

std::size_t AddressTable::size() const {
  const process::MutexLock lock(mu_);
  return entries_.size();
}

AddressTable::Key AddressTable::KeyOf(const IpAddress& address) {
  Key key{address.bytes};
  if (!address.is_v4()) std::fill(key.bytes.begin() + 8, key.bytes.end(), std::uint8_t{0});
  return key;
}

AddressTable::Entry* AddressTable::Find(const Key& key, SteadyTime now) {
  if (const auto it = entries_.find(key); it != entries_.end()) return &it->second;
  if (entries_.size() >= addresses_limit_ && now - swept_at_ >= kSweepInterval) {
    swept_at_ = now;
    absl::erase_if(entries_, [now](const auto& entry) { return entry.second.IsIdle(now); });
  }
  if (entries_.size() >= addresses_limit_) return nullptr;
  return &entries_[key];
}

v1::Error AddressTable::Refuse(Limit limit, std::string message, std::uint32_t wait_ms) {
  if (process::Counter* counter = counters_[static_cast<std::size_t>(limit)]) counter->Add();
  v1::Error error =
      MakeError(limit == Limit::kSessions ? v1::REASON_LIMIT_REACHED : v1::REASON_RATE_LIMITED,
                std::move(message), wait_ms);
  error.set_retryable(true);  // Others of the address may go meanwhile.
  return error;
}

std::optional<v1::Error> AddressTable::CheckFailures(const Entry& entry, SteadyTime now) {
  const std::uint32_t wait_ms = entry.failures.WaitFor(limits_.failures, now);
  if (wait_ms == 0) return std::nullopt;
  return Refuse(Limit::kFailures,
                fmt::format("more than {} refused tokens a minute from this address",
                            limits_.failures.per_period),
                wait_ms);
}

std::optional<v1::Error> AddressTable::Open(const ClientAddress& client, SteadyTime now,
                                            AddressSlot& slot) {
  slot = AddressSlot();
  slot.ticket_ = AddressTicket(*this, client);
  if (client.is_exempt) return std::nullopt;
  const process::MutexLock lock(mu_);
  Entry* entry = Find(KeyOf(client.address), now);
  if (entry == nullptr) return std::nullopt;
  if (auto refusal = CheckFailures(*entry, now)) return refusal;
  if (limits_.sessions > 0 && entry->sessions >= limits_.sessions) {
    return Refuse(Limit::kSessions,
                  fmt::format("{} sessions are open from this address", limits_.sessions),
                  kSessionsWaitMs);
  }
  if (const std::uint32_t wait_ms = entry->opens.Take(limits_.opens, now)) {
    return Refuse(Limit::kOpens,
                  fmt::format("more than {} new sessions a second from this address, or {} at once",
                              limits_.opens.per_period, limits_.opens.burst),
                  wait_ms);
  }
  ++entry->sessions;
  slot.is_counted_ = true;
  return std::nullopt;
}

void AddressTable::Close(const IpAddress& address) {
  const process::MutexLock lock(mu_);
  const auto it = entries_.find(KeyOf(address));
  if (--it->second.sessions == 0 && it->second.IsIdle(std::chrono::steady_clock::now())) {
    entries_.erase(it);
  }
}

std::optional<v1::Error> AddressTable::CheckLogin(const IpAddress& address, SteadyTime now) {
  const process::MutexLock lock(mu_);
  const auto it = entries_.find(KeyOf(address));
  return it == entries_.end() ? std::nullopt : CheckFailures(it->second, now);
}

void AddressTable::CountFailedLogin(const IpAddress& address, SteadyTime now) {
  const process::MutexLock lock(mu_);
  Entry* entry = Find(KeyOf(address), now);
  if (entry != nullptr) static_cast<void>(entry->failures.Take(limits_.failures, now));
}

}  // namespace confab::edge
