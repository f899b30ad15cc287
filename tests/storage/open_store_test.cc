#include "storage/open_store.h"

#include <gmock/gmock.h>

namespace confab::storage {
namespace {

TEST(OpenStore, RefusesUrlsItDoesNotKnowAndSaysWhatIsAllowed) {
  for (const char* url : {"", "mysql://h/d", "confab.db", "sqlite:", "sqlite::memory:",
                          "sqlite:file:x?mode=memory", "postgresql://h:port:port/x?nonsense=1"}) {
    const auto store = OpenStore(url, {});

    EXPECT_TRUE(absl::IsInvalidArgument(store.status())) << url << " " << store.status();
  }
  EXPECT_THAT(OpenStore("mysql://h/d", {}).status().ToString(), testing::HasSubstr("sqlite:PATH"));
}

TEST(OpenStore, NeverRepeatsThePasswordOfAUrlItCannotRead) {
  for (const char* url : {"mysql://ann:secret@h/d", "postgresql://ann:secret@h:x:y/d?nonsense=1",
                          "postgres://h/d?password=secret&nonsense=1"}) {
    EXPECT_THAT(OpenStore(url, {}).status().ToString(), testing::Not(testing::HasSubstr("secret")))
        << url;
  }
}

TEST(OpenStore, RefusesOptionsOutOfRange) {
  StoreOptions none;
  none.reader_connections = 0;
  StoreOptions many;
  many.reader_connections = 65;
  StoreOptions hasty;
  hasty.statement_timeout = absl::ZeroDuration();

  for (const StoreOptions& options : {none, many, hasty}) {
    EXPECT_TRUE(absl::IsInvalidArgument(OpenStore("sqlite:x.db", options).status()));
  }
}

TEST(OpenStore, SaysWhenTheDirectoryOfTheFileIsMissing) {
  const auto store = OpenStore("sqlite:/no/such/directory/c.db", {});

  EXPECT_TRUE(absl::IsFailedPrecondition(store.status()));
  EXPECT_THAT(store.status().ToString(), testing::HasSubstr("/no/such/directory/c.db"));
}

TEST(ReadSchema, MakesNoFileAndTakesNoUrlThatOpenStoreRefuses) {
  const auto missing = ReadSchema("sqlite:/no/such/directory/c.db", {});
  const auto malformed = ReadSchema("mysql://h/d", {});

  EXPECT_TRUE(absl::IsNotFound(missing.status())) << missing.status();
  EXPECT_TRUE(absl::IsInvalidArgument(malformed.status())) << malformed.status();
}

TEST(RedactedUrl, HidesPasswordsAndNothingElse) {
  const std::pair<const char*, const char*> cases[] = {
      {"sqlite:./data/c.db", "sqlite:./data/c.db"},
      {"postgresql://host/db", "postgresql://host/db"},
      {"postgresql://ann@host:5433/db", "postgresql://ann@host:5433/db"},
      {"postgresql://ann:pw@host:5433/db", "postgresql://ann:***@host:5433/db"},
      {"postgresql://ann:p@w@host/db", "postgresql://ann:***@host/db"},
      {"postgresql://ann:@host/db", "postgresql://ann:***@host/db"},
      {"postgresql://h/db?user=a&password=pw", "postgresql://h/db?user=a&password=***"},
      {"postgresql://h/db?sslpassword=pw&a=b", "postgresql://h/db?sslpassword=***&a=b"},
  };
  for (const auto& [url, redacted] : cases) EXPECT_EQ(RedactedUrl(url), redacted);
}

}  // namespace
}  // namespace confab::storage
