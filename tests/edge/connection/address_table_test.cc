#include "edge/connection/address_table.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class AddressTableTest : public testing::Test {
 protected:
  static ClientAddress From(const char* address) { return {*IpAddress::Parse(address), false}; }
  // "" if the session may open; it stays open then.
  std::string Open(const char* address) {
    AddressSlot slot;
    const auto refusal = table_.Open(From(address), now_, slot);
    if (refusal) return refusal->message();
    slots_.push_back(std::move(slot));
    return "";
  }
  AddressTicket TicketOf(const char* address) { return {table_, From(address)}; }

  // Ahead of the real clock, by which a slot is given back.
  std::chrono::steady_clock::time_point now_ =
      std::chrono::steady_clock::now() + std::chrono::hours(1);
  AddressTable table_{{.sessions = 2, .opens = {1'000, 1'000}, .failures = {3, 3, 60}}, {}, 4};
  std::vector<AddressSlot> slots_;
};

TEST_F(AddressTableTest, LimitsTheSessionsOfAnAddress) {
  EXPECT_EQ(Open("192.0.2.1"), "");
  EXPECT_EQ(Open("192.0.2.1"), "");

  EXPECT_EQ(Open("192.0.2.1"), "2 sessions are open from this address");
  EXPECT_EQ(Open("192.0.2.2"), "");

  slots_.erase(slots_.begin());
  EXPECT_EQ(Open("192.0.2.1"), "");
}

TEST_F(AddressTableTest, TellsWhenToComeBack) {
  table_.SetLimits({.sessions = 1, .opens = {1, 1}, .failures = {}});
  AddressSlot slot;
  EXPECT_FALSE(table_.Open(From("192.0.2.1"), now_, slot));
  AddressSlot other;

  const auto full = table_.Open(From("192.0.2.1"), now_, other);
  slot = AddressSlot();
  const auto fast = table_.Open(From("192.0.2.1"), now_, other);

  ASSERT_TRUE(full && fast);
  EXPECT_EQ(full->reason(), v1::REASON_LIMIT_REACHED);
  EXPECT_TRUE(full->retryable());
  EXPECT_GT(full->retry_after_ms(), 0u);
  EXPECT_EQ(fast->reason(), v1::REASON_RATE_LIMITED);
  EXPECT_EQ(fast->message(), "more than 1 new sessions a second from this address, or 1 at once");
  EXPECT_EQ(fast->retry_after_ms(), 1'000u);
}

TEST_F(AddressTableTest, CountsAnIpv6NetworkAsOne) {
  EXPECT_EQ(Open("2001:db8:0:1::1"), "");
  EXPECT_EQ(Open("2001:db8:0:1:ffff::2"), "");

  EXPECT_THAT(Open("2001:db8:0:1::3"), HasSubstr("2 sessions"));
  EXPECT_EQ(Open("2001:db8:0:2::1"), "");
}

TEST_F(AddressTableTest, LimitsRefusedTokens) {
  const AddressTicket ticket = TicketOf("192.0.2.1");
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(ticket.CheckLogin(now_));
    ticket.CountFailedLogin(now_);
  }

  const auto refusal = ticket.CheckLogin(now_);

  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason(), v1::REASON_RATE_LIMITED);
  EXPECT_EQ(refusal->message(), "more than 3 refused tokens a minute from this address");
  EXPECT_EQ(refusal->retry_after_ms(), 20'000u);
  EXPECT_THAT(Open("192.0.2.1"), HasSubstr("refused tokens"))
      << "before a session is opened for it";
  EXPECT_FALSE(TicketOf("192.0.2.2").CheckLogin(now_));
  now_ += seconds(20);
  EXPECT_FALSE(ticket.CheckLogin(now_));
}

TEST_F(AddressTableTest, ExemptsWhoIsExempt) {
  AddressSlot slot;
  const ClientAddress exempt{*IpAddress::Parse("127.0.0.1"), true};
  for (int i = 0; i < 10; ++i) {
    slots_.emplace_back();
    EXPECT_FALSE(table_.Open(exempt, now_, slots_.back()));
    slots_.back().ticket().CountFailedLogin(now_);
    EXPECT_FALSE(slots_.back().ticket().CheckLogin(now_));
  }
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(AddressTableTest, MayHaveEachLimitOff) {
  table_.SetLimits({});
  for (int i = 0; i < 300; ++i) EXPECT_EQ(Open("192.0.2.1"), "");
  for (int i = 0; i < 300; ++i) TicketOf("192.0.2.1").CountFailedLogin(now_);
  EXPECT_FALSE(TicketOf("192.0.2.1").CheckLogin(now_));
}

TEST_F(AddressTableTest, ForgetsWhoIsGone) {
  EXPECT_EQ(Open("192.0.2.1"), "");
  slots_.clear();
  EXPECT_EQ(table_.size(), 1u) << "its bucket is not full again";

  now_ -= std::chrono::hours(2);
  EXPECT_EQ(Open("192.0.2.2"), "");
  slots_.clear();

  EXPECT_EQ(table_.size(), 1u) << "this one's is";
}

TEST_F(AddressTableTest, KeepsNoMoreThanItsLimit) {
  for (const char* address : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) EXPECT_EQ(Open(address), "");
  TicketOf("192.0.2.4").CountFailedLogin(now_);
  EXPECT_EQ(table_.size(), 4u);

  for (int i = 0; i < 5; ++i) EXPECT_EQ(Open("192.0.2.9"), "") << "let in uncounted";
  EXPECT_EQ(table_.size(), 4u);
  slots_.resize(3);

  now_ += seconds(60);
  EXPECT_EQ(Open("192.0.2.9"), "") << "the one that only had failed is forgotten";
  EXPECT_EQ(Open("192.0.2.9"), "");
  EXPECT_THAT(Open("192.0.2.9"), HasSubstr("2 sessions"));
}

TEST_F(AddressTableTest, CountsWhatItRefuses) {
  process::Metrics metrics;
  process::Counter& counter = metrics.AddCounter("refused", "Sessions refused", {});
  AddressTable table({.sessions = 1, .opens = {}, .failures = {}}, {&counter, nullptr, nullptr});
  AddressSlot slot;
  AddressSlot other;

  EXPECT_FALSE(table.Open(From("192.0.2.1"), now_, slot));
  EXPECT_TRUE(table.Open(From("192.0.2.1"), now_, other));

  EXPECT_THAT(metrics.Render(), HasSubstr("refused 1"));
}

}  // namespace
}  // namespace confab::edge
