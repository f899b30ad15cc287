#include "tools/confabctl/time_option.h"

#include <cstdint>

#include <absl/time/clock.h>
#include <absl/time/time.h>

#include "tools/confabctl/command_line.h"

namespace confab::ctl {
namespace {

bool Parse(const std::string& text, absl::Time* time) {
  absl::Duration age;
  if (ParseTime(text, &age)) {
    *time = absl::Now() - age;
    return true;
  }
  std::string why;
  return absl::ParseTime(absl::RFC3339_full, text, time, &why) &&
         *time > absl::FromUnixSeconds(0) && *time < absl::InfiniteFuture();
}

}  // namespace

std::string IsTimeOrAge(const std::string& text) {
  absl::Time time;
  return Parse(text, &time) ? "" : "give a time such as 2026-11-21T07:35:00Z, or an age such as 2h";
}

google::protobuf::Timestamp TimeOf(const std::string& text) {
  absl::Time time;
  Parse(text, &time);
  google::protobuf::Timestamp message;
  const int64_t seconds = absl::ToUnixSeconds(time);
  message.set_seconds(seconds);
  message.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return message;
}

}  // namespace confab::ctl
