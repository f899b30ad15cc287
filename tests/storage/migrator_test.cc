#include "storage/migrator.h"

#include <vector>

#include <gmock/gmock.h>

namespace confab::storage {
namespace {

constexpr Migration kThree[] = {{1, "one", ""}, {2, "two", ""}, {3, "three", ""}};

class RecordingTarget : public SchemaTarget {
 public:
  explicit RecordingTarget(int version) : version_(version) {}
  absl::StatusOr<int> Version() override { return version_; }
  absl::Status Apply(const Migration& migration) override {
    if (migration.version == fails_at) return absl::InternalError("broken");
    applied.push_back(migration.version);
    return absl::OkStatus();
  }
  std::vector<int> applied;
  int fails_at = 0;

 private:
  int version_;
};

TEST(Migrator, AppliesWhatIsMissingInOrder) {
  RecordingTarget empty(0);
  RecordingTarget half(2);
  RecordingTarget full(3);

  EXPECT_TRUE(Migrate(kThree, empty).ok());
  EXPECT_TRUE(Migrate(kThree, half).ok());
  EXPECT_TRUE(Migrate(kThree, full).ok());

  EXPECT_THAT(empty.applied, testing::ElementsAre(1, 2, 3));
  EXPECT_THAT(half.applied, testing::ElementsAre(3));
  EXPECT_THAT(full.applied, testing::ElementsAre());
}

TEST(Migrator, TellsWhatIsMissing) {
  const SchemaState half = StateOf(kThree, 1);
  const SchemaState newer = StateOf(kThree, 4);

  EXPECT_EQ(half.version, 1);
  EXPECT_EQ(half.newest, 3);
  EXPECT_THAT(half.missing, testing::ElementsAre("two", "three"));
  EXPECT_GT(newer.version, newer.newest);
  EXPECT_THAT(newer.missing, testing::IsEmpty());
}

TEST(Migrator, RefusesANewerSchema) {
  RecordingTarget newer(4);

  const auto status = Migrate(kThree, newer);

  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(status.ToString(), testing::HasSubstr("version 4"));
  EXPECT_TRUE(newer.applied.empty());
}

TEST(Migrator, StopsAtTheFirstFailureAndNamesIt) {
  RecordingTarget target(0);
  target.fails_at = 2;

  const auto status = Migrate(kThree, target);

  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(status.ToString(), testing::HasSubstr("two"));
  EXPECT_THAT(target.applied, testing::ElementsAre(1));
}

}  // namespace
}  // namespace confab::storage
