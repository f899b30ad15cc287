#include "control/api/grpc_address.h"

#include <gtest/gtest.h>

namespace confab::control {
namespace {

TEST(GrpcAddress, TakesLoopbackAndUnixSockets) {
  for (const char* text : {"127.0.0.1:8081", "127.9.9.9:0", "localhost:8081", "[::1]:65535",
                           "unix:/run/confab/control.sock", "unix:control.sock"}) {
    const absl::StatusOr<GrpcAddress> address = ParseGrpcAddress("control-listen", text);
    ASSERT_TRUE(address.ok()) << text << ": " << address.status();
    EXPECT_EQ(address->ToString(), text);
  }
  EXPECT_EQ(ParseGrpcAddress("control-listen", "unix:///run/x.sock")->ToString(),
            "unix:/run/x.sock");
}

TEST(GrpcAddress, RefusesWhatStrangersCouldReach) {
  for (const char* text : {"0.0.0.0:8081", "[::]:8081", "192.168.1.5:8081", "chat.example:8081",
                           ":8081", "128.0.0.1:1", "[::ffff:10.0.0.1]:1"}) {
    const absl::StatusOr<GrpcAddress> address = ParseGrpcAddress("control-listen", text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(address.status().message().find("without TLS"), absl::string_view::npos) << text;
  }
}

TEST(GrpcAddress, TakesAnyHostWithTls) {
  for (const char* text : {"0.0.0.0:8081", "[::]:8081", "control.example:8081"}) {
    const absl::StatusOr<GrpcAddress> address = ParseGrpcAddress("control-listen", text, true);
    ASSERT_TRUE(address.ok()) << text << ": " << address.status();
    EXPECT_EQ(address->ToString(), text);
  }
  EXPECT_FALSE(ParseGrpcAddress("control-listen", ":8081", true).ok());
}

TEST(GrpcAddress, RefusesWhatIsMalformed) {
  for (const char* text : {"", "8081", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                           "127.0.0.1:80x", "::1:8081", "unix:"}) {
    EXPECT_FALSE(ParseGrpcAddress("control-listen", text).ok()) << text;
  }
  EXPECT_FALSE(ParseGrpcAddress("control-listen", "unix:/" + std::string(107, 'x')).ok());
}

}  // namespace
}  // namespace confab::control
