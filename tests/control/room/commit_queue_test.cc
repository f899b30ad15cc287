#include "control/room/commit_queue.h"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include <gmock/gmock.h>

#include "process/metrics.h"
#include "tests/fakes/failing_store.h"
#include "tests/fakes/memory_store.h"

namespace confab::control {
namespace {

using std::chrono::milliseconds;
using storage::AppendOutcome;
using storage::FailingStore;
using storage::MemoryStore;
using storage::StoreCall;

struct TestJob : CommitJob {
  std::string name;
};

// A queue on a memory store; collects the answers in their order.
class CommitQueueTest : public testing::Test {
 protected:
  CommitQueueTest()
      : store_(std::make_unique<MemoryStore>()),
        queue_(
            metrics_, 2, [this](size_t lane, CommitQueue::Jobs jobs) { Take(lane, jobs); },
            [this](const absl::Status& why) { OnFatal(why); }) {
    EXPECT_TRUE(*store_.TryBecomeActive());
    auto writer = store_.OpenWriter();
    for (const char* room : {"a", "b"}) {
      storage::NewRoom created;
      created.id = storage::RoomId(room);
      EXPECT_TRUE((*writer)->CreateRoom(created).ok());
    }
  }

  void Take(size_t lane, CommitQueue::Jobs& jobs) {
    const std::lock_guard lock(mu_);
    for (auto& job : jobs) {
      EXPECT_EQ(job->lane, lane);
      auto* test_job = static_cast<TestJob*>(job.release());
      order_ += test_job->name;
      EXPECT_TRUE(answers_.emplace(test_job->name, test_job).second) << "answered twice";
    }
    changed_.notify_all();
  }
  void OnFatal(const absl::Status&) {
    const std::lock_guard lock(mu_);
    ++fatals_;
    changed_.notify_all();
  }

  static std::unique_ptr<TestJob> Post(const std::string& name, const std::string& room = "a",
                                       milliseconds deadline = milliseconds(5000)) {
    auto job = std::make_unique<TestJob>();
    job->name = name;
    job->lane = room == "a" ? 0 : 1;
    job->deadline = std::chrono::steady_clock::now() + deadline;
    job->append.room = storage::RoomId(room);
    storage::NewEvent& event = job->append.events.emplace_back();
    event.actor.id = storage::UserId("ann");
    event.dedup = {storage::DedupKey::Space::kClient, name};
    event.message_id = "id-" + name;
    event.content = name;
    return job;
  }
  static std::unique_ptr<TestJob> Pointers(const std::string& name) {
    auto job = Post(name);
    job->kind = CommitJob::Kind::kMovePointers;
    job->append.events.clear();
    job->moves = {{storage::RoomId("a"), storage::UserId("ann"), 1, true}};
    return job;
  }
  static std::unique_ptr<TestJob> Inbox(const std::string& name) {
    auto job = Post(name);
    job->kind = CommitJob::Kind::kInbox;
    job->append.events.clear();
    job->inbox = std::make_unique<storage::InboxWrite>();
    job->inbox->user = storage::UserId(name);
    return job;
  }
  template <typename... Job>
  void Push(Job... job) {
    CommitQueue::Jobs jobs;
    (jobs.push_back(std::move(job)), ...);
    queue_.Push(jobs);
    EXPECT_TRUE(jobs.empty());
  }
  const TestJob& Await(const std::string& name) {
    std::unique_lock lock(mu_);
    EXPECT_TRUE(
        changed_.wait_for(lock, std::chrono::seconds(10), [&] { return answers_.contains(name); }))
        << name << " was never answered";
    return *answers_[name];
  }
  std::vector<std::string> Stored(const std::string& room) {
    std::vector<std::string> contents;
    const auto page = store_.ReadEvents({storage::RoomId(room), 0, -1, 500});
    for (const auto& event : page->events) {
      contents.push_back(event.event.content);
    }
    return contents;
  }
  static CommitForecast::Clock::time_point Now() { return CommitForecast::Clock::now(); }
  // What the queue will say if nothing happens until then.
  CommitForecast::Outlook Later() const { return queue_.At(Now() + kLater); }
  // The same before a writer that has just been opened is trusted.
  CommitForecast::Outlook Soon() const {
    return queue_.At(Now() + CommitForecast::kAwayAfter + milliseconds(1));
  }
  // Within ten seconds.
  static bool AwaitThat(const std::function<bool()>& is_so) {
    for (const auto end = Now() + std::chrono::seconds(10); Now() < end;) {
      if (is_so()) return true;
      std::this_thread::yield();
    }
    return false;
  }

  static constexpr auto kLater = std::chrono::seconds(100);
  // Makes the queue gather: the first job is in the store's hands until Unblock.
  void Hold() {
    store_.Block(StoreCall::kAppend);
    Push(Post("held", "b"));
    ASSERT_TRUE(store_.WaitUntilBlocked(StoreCall::kAppend));
  }

  FailingStore store_;
  process::Metrics metrics_;
  std::mutex mu_;
  std::condition_variable changed_;
  std::map<std::string, std::unique_ptr<TestJob>> answers_;
  std::string order_;
  int fatals_ = 0;
  CommitQueue queue_;
};

using Strings = std::vector<std::string>;

TEST_F(CommitQueueTest, WritesWhatGatheredAsOneBatchInOrder) {
  queue_.Start(store_);
  Hold();
  Push(Post("1"), Post("2", "b"), Post("3"));

  store_.Unblock(StoreCall::kAppend);

  EXPECT_EQ(Await("1").outcome.first_seq, 1);
  EXPECT_EQ(Await("3").outcome.first_seq, 2);
  EXPECT_EQ(Await("2").outcome.kind, AppendOutcome::Kind::kStored);
  EXPECT_EQ(store_.batch_sizes(), (std::vector<size_t>{1, 3}));
}

TEST_F(CommitQueueTest, WritesTheKindsThatGatheredEachAsOneBatch) {
  queue_.Start(store_);
  Hold();
  Push(Pointers("p"), Post("m"), Inbox("i"), Post("n"), Inbox("j"), Pointers("q"));

  store_.Unblock(StoreCall::kAppend);

  for (const char* name : {"m", "n", "i", "j", "p", "q"}) EXPECT_TRUE(Await(name).status.ok());
  EXPECT_EQ(store_.batch_sizes(), (std::vector<size_t>{1, 2}));
  EXPECT_EQ(store_.calls(StoreCall::kWriteInboxes) + store_.calls(StoreCall::kMovePointers), 2);
  EXPECT_EQ(order_, "heldmnijpq");
}

TEST_F(CommitQueueTest, WritesATurnWithoutMessages) {
  queue_.Start(store_);
  Hold();
  Push(Inbox("i"), Inbox("j"));
  store_.Unblock(StoreCall::kAppend);
  EXPECT_TRUE(Await("j").status.ok());
  Push(Pointers("p"));

  EXPECT_TRUE(Await("p").status.ok());
  EXPECT_EQ(order_, "heldijp");
}

TEST_F(CommitQueueTest, EndsABatchAt512EventsAndBeforeALargerRequest) {
  queue_.Start(store_);
  Hold();
  for (int i = 0; i < 600; ++i) Push(Post("p" + std::to_string(i)));
  auto large = Post("large");
  for (int i = 1; i < 600; ++i) {
    large->append.events.push_back(large->append.events[0]);
    large->append.events.back().dedup.key += std::to_string(i);
  }
  Push(std::move(large), Post("last"));

  store_.Unblock(StoreCall::kAppend);

  EXPECT_EQ(Await("large").outcome.first_seq, 601);
  EXPECT_EQ(Await("last").outcome.first_seq, 1201);
  EXPECT_EQ(store_.batch_sizes(), (std::vector<size_t>{1, 512, 88, 600, 1}));
}

TEST_F(CommitQueueTest, TakesOnlyWhatThereIsRoomFor) {
  CommitQueue::Jobs jobs;
  for (size_t i = 0; i < CommitQueue::kJobsLimit + 2; ++i) jobs.push_back(Post(std::to_string(i)));

  queue_.Push(jobs);

  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(static_cast<TestJob&>(*jobs[0]).name, std::to_string(CommitQueue::kJobsLimit));
}

TEST_F(CommitQueueTest, TakesOnlyTheBytesThereIsRoomFor) {
  CommitQueue::Jobs jobs;
  for (int i = 0; i < 5; ++i) {
    jobs.push_back(Post(std::to_string(i)));
    jobs.back()->append.events[0].content.assign(CommitQueue::kBytesLimit / 4, 'x');
  }

  queue_.Push(jobs);

  EXPECT_EQ(jobs.size(), 2u);
}

TEST_F(CommitQueueTest, NeverWritesALateJob) {
  queue_.Start(store_);
  Hold();
  Push(Post("late", "a", milliseconds(-1)), Post("fine"));

  store_.Unblock(StoreCall::kAppend);

  EXPECT_EQ(Await("late").status.code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(Await("late").is_outcome_unknown);
  EXPECT_TRUE(Await("fine").status.ok());
  EXPECT_EQ(Stored("a"), (Strings{"fine"}));
}

TEST_F(CommitQueueTest, RefusesOnlyTheCulprit) {
  queue_.Start(store_);
  Hold();
  auto culprit = Post("x");
  culprit->append.events[0].content = "\xFF";
  Push(Post("1"), Post("2"), std::move(culprit), Post("3"), Post("4"));

  store_.Unblock(StoreCall::kAppend);

  EXPECT_EQ(Await("x").status.code(), absl::StatusCode::kInvalidArgument);
  for (const char* name : {"1", "2", "3", "4"}) EXPECT_TRUE(Await(name).status.ok());
  EXPECT_EQ(Stored("a"), (Strings{"1", "2", "3", "4"}));
}

TEST_F(CommitQueueTest, WritesTheSameBatchAgainWhenTheAnswerWasLost) {
  store_.LoseAnswer(StoreCall::kAppend, 1);
  store_.Fail(StoreCall::kOpenWriter, absl::UnavailableError("still away"), 2, 2);
  queue_.Start(store_);

  Push(Post("1"), Post("2"));

  EXPECT_EQ(Await("1").outcome.kind, AppendOutcome::Kind::kDuplicate);
  EXPECT_EQ(Await("1").outcome.first_seq, 1);
  EXPECT_EQ(Await("1").outcome.message_id, "id-1");
  EXPECT_EQ(Await("2").outcome.first_seq, 2);
  EXPECT_EQ(Stored("a"), (Strings{"1", "2"}));
}

TEST_F(CommitQueueTest, SaysThatItDoesNotKnowWhenTheAnswerStaysLost) {
  store_.LoseAnswer(StoreCall::kAppend, 1);
  store_.Fail(StoreCall::kOpenWriter, absl::UnavailableError("away"), 2, 1000);
  queue_.Start(store_);

  Push(Post("1", "a", milliseconds(500)));

  EXPECT_FALSE(Await("1").status.ok());
  EXPECT_TRUE(Await("1").is_outcome_unknown);
  EXPECT_EQ(Stored("a"), (Strings{"1"}));
}

TEST_F(CommitQueueTest, OutlastsAShortOutage) {
  store_.Fail(StoreCall::kAppend, absl::UnavailableError("away"), 1, 3);
  queue_.Start(store_);

  Push(Post("1"));

  EXPECT_EQ(Await("1").outcome.kind, AppendOutcome::Kind::kStored);
  EXPECT_EQ(Stored("a"), (Strings{"1"}));
}

TEST_F(CommitQueueTest, RefusesEachJobAtItsDeadlineDuringALongOutage) {
  store_.FailAlways(StoreCall::kAppend, absl::DeadlineExceededError("slow"));
  queue_.Start(store_);

  Push(Post("short", "a", milliseconds(30)), Post("long"));
  EXPECT_EQ(Await("short").status.code(), absl::StatusCode::kUnavailable);
  Push(Post("queued", "a", milliseconds(30)));
  EXPECT_EQ(Await("queued").status.code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(Await("queued").is_outcome_unknown);
  store_.Heal();

  EXPECT_TRUE(Await("long").status.ok());
  EXPECT_EQ(Stored("a"), (Strings{"long"}));
}

TEST_F(CommitQueueTest, IsFatalOnceWhenTheLockIsLost) {
  store_.Fail(StoreCall::kAppend, absl::FailedPreconditionError("not active"));
  queue_.Start(store_);

  Push(Post("1"));
  EXPECT_FALSE(Await("1").status.ok());
  Push(Post("2"));
  EXPECT_FALSE(Await("2").status.ok());

  queue_.Stop();
  EXPECT_EQ(fatals_, 1);
  EXPECT_EQ(Stored("a"), Strings{});
}

TEST_F(CommitQueueTest, CreatesAndDeletesInTheOrderOfTheQueue) {
  queue_.Start(store_);
  Hold();
  auto create = Post("create", "b");
  create->kind = CommitJob::Kind::kCreateRoom;
  create->append.events.clear();
  create->append.room = storage::RoomId("new");
  create->new_room = std::make_unique<storage::NewRoom>();
  create->new_room->id = storage::RoomId("new");
  auto post = Post("post", "b");
  post->append.room = storage::RoomId("new");
  auto remove = Post("remove", "b");
  remove->kind = CommitJob::Kind::kDeleteRoom;
  remove->append.events.clear();
  remove->append.room = storage::RoomId("new");
  auto after = Post("after", "b");
  after->append.room = storage::RoomId("new");
  Push(std::move(create), std::move(post), std::move(remove), std::move(after));

  store_.Unblock(StoreCall::kAppend);

  EXPECT_EQ(Await("create").record.id, storage::RoomId("new"));
  EXPECT_EQ(Await("post").outcome.kind, AppendOutcome::Kind::kStored);
  EXPECT_TRUE(Await("remove").status.ok());
  EXPECT_EQ(Await("after").outcome.kind, AppendOutcome::Kind::kRoomNotFound);
}

TEST_F(CommitQueueTest, TakesALostDeleteForDoneAndALostCreateForUnknown) {
  store_.LoseAnswer(StoreCall::kDeleteRoom);
  store_.LoseAnswer(StoreCall::kCreateRoom);
  queue_.Start(store_);
  auto remove = Post("remove");
  remove->kind = CommitJob::Kind::kDeleteRoom;
  auto create = Post("create");
  create->kind = CommitJob::Kind::kCreateRoom;
  create->new_room = std::make_unique<storage::NewRoom>();
  create->new_room->id = storage::RoomId("new");

  Push(std::move(remove), std::move(create));

  EXPECT_TRUE(Await("remove").status.ok());
  EXPECT_TRUE(Await("remove").is_repeated);
  EXPECT_TRUE(Await("create").is_outcome_unknown);
}

TEST_F(CommitQueueTest, RepairsPointersInStepsBetweenTheBatches) {
  {
    const auto writer = store_.OpenWriter();
    for (int i = 0; i < 2 * CommitQueue::kRepairRooms; ++i) {
      storage::NewRoom room;
      room.id = storage::RoomId("r" + std::to_string(i));
      ASSERT_TRUE((*writer)->CreateRoom(room).ok());
    }
  }
  store_.Block(StoreCall::kRepairPointers);
  store_.Block(StoreCall::kAppend);
  queue_.Start(store_);
  ASSERT_TRUE(store_.WaitUntilBlocked(StoreCall::kRepairPointers));
  Push(Post("1"));

  store_.Unblock(StoreCall::kRepairPointers);
  ASSERT_TRUE(store_.WaitUntilBlocked(StoreCall::kAppend));
  EXPECT_EQ(store_.calls(StoreCall::kRepairPointers), 1) << "the batch waits for one step only";

  // The next step needs no batch that wakes the queue.
  store_.Block(StoreCall::kRepairPointers);
  store_.Unblock(StoreCall::kAppend);
  Await("1");
  ASSERT_TRUE(store_.WaitUntilBlocked(StoreCall::kRepairPointers));
  store_.Unblock(StoreCall::kRepairPointers);
  Push(Post("2"));
  Await("2");
  Push(Post("3"));
  Await("3");
  EXPECT_EQ(store_.calls(StoreCall::kRepairPointers), 3);
  Push(Post("4"));
  Await("4");
  EXPECT_EQ(store_.calls(StoreCall::kRepairPointers), 3) << "it is done once";
}

TEST_F(CommitQueueTest, GoesOnRepairingWhenAWriterIsOpenedAgain) {
  store_.Fail(StoreCall::kRepairPointers, absl::UnavailableError("away"));
  queue_.Start(store_);
  Push(Post("1"));
  EXPECT_TRUE(Await("1").status.ok());
  EXPECT_EQ(store_.calls(StoreCall::kRepairPointers), 1);

  store_.Fail(StoreCall::kAppend, absl::UnavailableError("away"));
  Push(Post("2"));

  EXPECT_TRUE(Await("2").status.ok());
  EXPECT_EQ(store_.calls(StoreCall::kRepairPointers), 2);
}

TEST_F(CommitQueueTest, SaysThatTheStoreIsAwayWhileABatchIsNotAnswered) {
  queue_.Start(store_);
  Hold();
  EXPECT_FALSE(queue_.At(Now()).takes_probe);
  EXPECT_TRUE(Later().is_away);
  Push(Post("1"));
  EXPECT_GE(Later().wait, kLater);
  EXPECT_THAT(metrics_.Render(), testing::HasSubstr("confab_control_commit_wait_seconds "));

  store_.Unblock(StoreCall::kAppend);
  Await("held");
  Await("1");

  EXPECT_FALSE(Later().is_away);
}

TEST_F(CommitQueueTest, FindsAStoreThatIsBackThoughNobodyWrites) {
  store_.FailAlways(StoreCall::kOpenWriter, absl::UnavailableError("away"));
  queue_.Start(store_);
  Push(Post("short", "a", milliseconds(30)));
  EXPECT_EQ(Await("short").status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(Later().is_away);
  EXPECT_FALSE(Later().takes_probe);

  store_.Heal();

  EXPECT_TRUE(AwaitThat([this] { return Later().takes_probe; }));
  EXPECT_TRUE(Soon().is_away) << "nothing was written yet";
  EXPECT_FALSE(Later().is_away) << "nothing has failed for long";
  Push(Post("1"));
  EXPECT_TRUE(Await("1").status.ok());
  EXPECT_FALSE(Later().is_away);
}

TEST_F(CommitQueueTest, OpensAWriterThatItDidNotGetAtFirst) {
  store_.Fail(StoreCall::kOpenWriter, absl::UnavailableError("not yet"), 1, 3);
  queue_.Start(store_);

  EXPECT_TRUE(AwaitThat([this] { return Later().takes_probe; }));
}

TEST_F(CommitQueueTest, TakesProbesUntilOneIsWritten) {
  store_.FailAlways(StoreCall::kAppend, absl::ResourceExhaustedError("the disk is full"));
  queue_.Start(store_);
  for (const char* name : {"1", "2"}) {
    ASSERT_TRUE(AwaitThat([this] { return Later().takes_probe; }));
    Push(Post(name, "a", milliseconds(30)));
    EXPECT_EQ(Await(name).status.code(), absl::StatusCode::kUnavailable);
    EXPECT_TRUE(Soon().is_away);
  }
  ASSERT_TRUE(AwaitThat([this] { return Later().takes_probe; }));
  store_.Heal();

  Push(Post("3"));

  EXPECT_TRUE(Await("3").status.ok());
  EXPECT_FALSE(Later().is_away);
  EXPECT_EQ(Stored("a"), (Strings{"3"}));
}

TEST_F(CommitQueueTest, IsNotAwayForWhatIsNoSend) {
  store_.FailAlways(StoreCall::kMovePointers, absl::UnavailableError("locked"));
  queue_.Start(store_);
  auto pointers = Pointers("pointers");
  pointers->deadline = Now() + milliseconds(30);
  Push(std::move(pointers));
  EXPECT_EQ(Await("pointers").status.code(), absl::StatusCode::kUnavailable);

  EXPECT_FALSE(Later().is_away);
}

TEST_F(CommitQueueTest, AnswersEverythingWhenItStops) {
  store_.FailAlways(StoreCall::kAppend, absl::UnavailableError("away"));
  queue_.Start(store_);
  Push(Post("1"), Post("2"));

  queue_.Stop();

  EXPECT_EQ(Await("1").status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Await("2").status.code(), absl::StatusCode::kUnavailable);
  CommitQueue::Jobs jobs;
  jobs.push_back(Post("3"));
  queue_.Push(jobs);
  EXPECT_EQ(jobs.size(), 1u);
}

}  // namespace
}  // namespace confab::control
