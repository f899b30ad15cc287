#include "tests/contract/store_backends.h"

#include <filesystem>
#include <stdexcept>
#include <stdlib.h>

#include <absl/time/clock.h>

#include "tests/fakes/memory_store.h"
#include "tests/support/postgres.h"

namespace confab::storage {
namespace {

class MemoryBackend : public TestBackend {
 public:
  std::unique_ptr<Store> Open() override { return std::make_unique<MemoryStore>(database_); }

 private:
  std::shared_ptr<MemoryDatabase> database_ = std::make_shared<MemoryDatabase>();
};

std::unique_ptr<Store> OpenOrThrow(const std::string& url, const StoreOptions& options = {}) {
  auto store = OpenStore(url, options);
  if (!store.ok()) throw std::runtime_error(store.status().ToString());
  return *std::move(store);
}

class SqliteBackend : public TestBackend {
 public:
  SqliteBackend() {
    std::string pattern = testing::TempDir() + "/confab-store-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    dir_ = pattern;
  }
  ~SqliteBackend() override { std::filesystem::remove_all(dir_); }
  std::unique_ptr<Store> Open() override { return OpenOrThrow("sqlite:" + dir_ + "/c.db"); }

 private:
  std::string dir_;
};

// A schema of its own on the test's server.
class PostgresBackend : public TestBackend {
 public:
  explicit PostgresBackend(int one_trip_limit) { options_.one_trip_limit = one_trip_limit; }
  std::unique_ptr<Store> Open() override { return OpenOrThrow(url_, options_); }

 private:
  StoreOptions options_;
  std::string url_ = testing_support::PostgresServer::Shared().NewSchemaUrl();
};

}  // namespace

std::vector<BackendParam> AllBackends() {
  return {
      {"Memory", [] { return std::make_unique<MemoryBackend>(); }},
      {"Sqlite", [] { return std::make_unique<SqliteBackend>(); }},
      // Each commit shape wherever it is possible at all.
      {"PostgresInOneTrip", [] { return std::make_unique<PostgresBackend>(4096); }},
      {"PostgresInStatements", [] { return std::make_unique<PostgresBackend>(0); }},
  };
}

std::string BackendName(const testing::TestParamInfo<BackendParam>& param) {
  return param.param.name;
}

StoreContract::StoreContract() : backend_(GetParam().make()) { Reopen(); }

void StoreContract::Reopen() {
  writer_.reset();
  store_.reset();
  store_ = backend_->Open();
  if (!BecomesActive(*store_)) throw std::runtime_error("the store does not become active");
  writer_ = OpenWriter();
}

std::unique_ptr<StoreWriter> StoreContract::OpenWriter() {
  auto writer = store_->OpenWriter();
  if (!writer.ok()) throw std::runtime_error(writer.status().ToString());
  return *std::move(writer);
}

std::vector<AppendOutcome> StoreContract::Append(const std::vector<AppendRequest>& batch) {
  auto outcomes = writer_->Append(batch);
  EXPECT_TRUE(outcomes.ok()) << outcomes.status();
  if (!outcomes.ok() || outcomes->size() != batch.size()) {
    throw std::runtime_error("Append did not answer every request");
  }
  return *std::move(outcomes);
}

AppendOutcome StoreContract::AppendOne(const AppendRequest& request) {
  return Append({request}).front();
}

RoomRecord StoreContract::Create(const std::string& id,
                                 std::vector<std::pair<UserId, Role>> members) {
  NewRoom room;
  room.id = RoomId(id);
  room.topic = "about " + id;
  room.members = std::move(members);
  auto record = writer_->CreateRoom(room);
  if (!record.ok()) throw std::runtime_error(record.status().ToString());
  return *std::move(record);
}

EventPage StoreContract::ReadAll(const std::string& room) {
  EventQuery query;
  query.room = RoomId(room);
  query.after_seq = 0;
  query.limit = 100'000;
  query.bytes_limit = 1 << 30;
  auto page = store_->ReadEvents(query);
  EXPECT_TRUE(page.ok()) << page.status();
  return page.ok() ? *std::move(page) : EventPage{};
}

MemberRecord StoreContract::Pair(const std::string& room, const std::string& user) {
  auto snapshot = store_->ReadRoom(RoomId(room), {UserId(user)});
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  return snapshot.ok() ? snapshot->members.at(0) : MemberRecord{};
}

int64_t StoreContract::MemberSeq(const std::string& room) {
  auto snapshot = store_->ReadRoom(RoomId(room), {});
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  return snapshot.ok() ? snapshot->room.member_seq : -1;
}

bool BecomesActive(Store& store) {
  const absl::Time end = absl::Now() + absl::Seconds(10);
  while (absl::Now() < end) {
    const auto is_active = store.TryBecomeActive();
    if (is_active.ok() && *is_active) return true;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return false;
}

NewEvent MessageEvent(const std::string& actor, const std::string& key,
                      const std::string& content) {
  NewEvent event;
  event.actor = {UserId(actor), actor + "'s name", actor + "@example.org"};
  event.dedup = {DedupKey::Space::kClient, key};
  event.message_id = "id-of-" + key;
  event.type = "text";
  event.content = content;
  return event;
}

NewEvent MemberEvent(EventKind kind, const std::string& user, Role role, const std::string& key) {
  NewEvent event;
  event.kind = kind;
  event.dedup = {DedupKey::Space::kService, key};
  event.subject = UserId(user);
  event.role = role;
  return event;
}

AppendRequest Post(const std::string& room, int64_t expected, const std::string& key,
                   const std::string& content) {
  return {RoomId(room), expected, {MessageEvent("ann", key, content)}};
}

AppendRequest Change(const std::string& room, int64_t expected, EventKind kind,
                     const std::string& user, Role role, const std::string& key) {
  return {RoomId(room), expected, {MemberEvent(kind, user, role, key)}};
}

}  // namespace confab::storage
