// address_table.h: what the clients of one address have open and have tried, over all io threads.
// Asked when a session opens or ends and when a token is shown, never for a message.
// Owns: an entry for each address seen lately.   Used by: http_talk (opens), connection (logins).
// Threads: any thread (guarded by `mu_`).
// Fails: a refusal names the limit that struck and how long to wait.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <absl/container/flat_hash_map.h>

#include "confab/v1/types.pb.h"

#include "edge/auth/client_address.h"
#include "edge/connection/rate_limit.h"
#include "process/metrics.h"
#include "process/mutex.h"

namespace confab::edge {

struct AddressLimits {
  std::size_t sessions = 0;  // Open at a time; 0: no limit.
  RateLimit opens;           // New sessions.
  RateLimit failures;        // Tokens that were refused.
};

class AddressSlot;
class AddressTable;

// Where a client is; empty where limits of its address do not strike it. Cheap to copy; the table
// outlives it.
class AddressTicket {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  AddressTicket() = default;
  AddressTicket(AddressTable& table, const ClientAddress& client);

  // nullopt: it may show a token.
  std::optional<v1::Error> CheckLogin(SteadyTime now) const;
  void CountFailedLogin(SteadyTime now) const;

 private:
  friend class AddressTable;
  friend class AddressSlot;

  AddressTable* table_ = nullptr;
  IpAddress address_;
};

// A session of an address, given back when it goes.
class AddressSlot {
 public:
  AddressSlot() = default;
  ~AddressSlot() { GiveBack(); }
  AddressSlot(AddressSlot&& other) noexcept;
  AddressSlot& operator=(AddressSlot&& other) noexcept;

  const AddressTicket& ticket() const { return ticket_; }

 private:
  friend class AddressTable;
  void GiveBack();

  AddressTicket ticket_;
  bool is_counted_ = false;
};

class AddressTable {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  // What struck, for figures.
  enum class Limit : std::uint8_t { kSessions, kOpens, kFailures };
  static constexpr std::size_t kLimits = 3;
  using Counters = std::array<process::Counter*, kLimits>;

  // About 25 MB when it is full: more than addresses with a session, of which there are no more than
  // sessions. Beyond it those go that have no session and full buckets; where there are none, who
  // comes from a new address is let in uncounted: to be refused for others' sake would be what an
  // attacker wants.
  static constexpr std::size_t kAddressesLimit = 262'144;

  explicit AddressTable(const AddressLimits& limits, Counters counters = {},
                        std::size_t addresses_limit = kAddressesLimit);

  // Hold from now on, for who is there too.
  void SetLimits(const AddressLimits& limits);

  // nullopt: the session may open, and `slot` is its.
  std::optional<v1::Error> Open(const ClientAddress& client, SteadyTime now, AddressSlot& slot);

  std::size_t size() const;

 private:
  friend class AddressTicket;
  friend class AddressSlot;

  struct Entry {
    std::uint32_t sessions = 0;
    RateBucket opens;
    RateBucket failures;

    bool IsIdle(SteadyTime now) const {
      return sessions == 0 && opens.IsFull(now) && failures.IsFull(now);
    }
  };
  struct Key {
    std::array<std::uint8_t, 16> bytes;
    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const Key& key) {
      return H::combine(std::move(state), key.bytes);
    }
  };

  // Whoever has an IPv6 address has all of its /64.
  static Key KeyOf(const IpAddress& address);
  Entry* Find(const Key& key, SteadyTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::optional<v1::Error> CheckFailures(const Entry& entry, SteadyTime now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  v1::Error Refuse(Limit limit, std::string message, std::uint32_t wait_ms);

  std::optional<v1::Error> CheckLogin(const IpAddress& address, SteadyTime now);
  void CountFailedLogin(const IpAddress& address, SteadyTime now);
  void Close(const IpAddress& address);

  const Counters counters_;
  const std::size_t addresses_limit_;
  mutable process::Mutex mu_;
  AddressLimits limits_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<Key, Entry> entries_ ABSL_GUARDED_BY(mu_);
  SteadyTime swept_at_ ABSL_GUARDED_BY(mu_){};
};

}  // namespace confab::edge
