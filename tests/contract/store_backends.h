// store_backends.h: what the contract suite runs against, and the words its tests are written in.
// Owns: a database for one test, gone afterwards.
// Threads: any thread, as the stores are.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/open_store.h"
#include "storage/store.h"

namespace confab::storage {

// An empty database.
class TestBackend {
 public:
  virtual ~TestBackend() = default;
  // A store as a process of its own would open it.
  virtual std::unique_ptr<Store> Open() = 0;
};

struct BackendParam {
  std::string name;
  std::function<std::unique_ptr<TestBackend>()> make;
};
inline void PrintTo(const BackendParam& param, std::ostream* out) { *out << param.name; }
std::vector<BackendParam> AllBackends();
std::string BackendName(const testing::TestParamInfo<BackendParam>& param);

// An active store and a writer on an empty database.
class StoreContract : public testing::TestWithParam<BackendParam> {
 protected:
  StoreContract();
  // As after a restart.
  void Reopen();
  std::unique_ptr<StoreWriter> OpenWriter();
  // Fails the test unless it is OK.
  std::vector<AppendOutcome> Append(const std::vector<AppendRequest>& batch);
  AppendOutcome AppendOne(const AppendRequest& request);
  RoomRecord Create(const std::string& id,
                    std::vector<std::pair<UserId, Role>> members = {{UserId("ann"), Role::kOwner}});
  EventPage ReadAll(const std::string& room);
  MemberRecord Pair(const std::string& room, const std::string& user);
  int64_t MemberSeq(const std::string& room);

  std::unique_ptr<TestBackend> backend_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreWriter> writer_;
};

// Tries until it is, for a bounded time: a database server notices a moment later that the former
// one is gone.
bool BecomesActive(Store& store);

NewEvent MessageEvent(const std::string& actor, const std::string& key,
                      const std::string& content = "hello");
NewEvent MemberEvent(EventKind kind, const std::string& user, Role role, const std::string& key);

// A message of ann's.
AppendRequest Post(const std::string& room, int64_t expected, const std::string& key,
                   const std::string& content = "hello");
AppendRequest Change(const std::string& room, int64_t expected, EventKind kind,
                     const std::string& user, Role role, const std::string& key);

}  // namespace confab::storage
