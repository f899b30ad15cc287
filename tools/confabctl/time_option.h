// time_option.h: options that are a point in time: RFC 3339, or how long ago.
// Threads: pure functions.
#pragma once

#include <string>

#include <google/protobuf/timestamp.pb.h>

namespace confab::ctl {

// A check for such an option: what is wrong with it, or nothing.
std::string IsTimeOrAge(const std::string& text);

// REQUIRES: IsTimeOrAge says nothing against it.
google::protobuf::Timestamp TimeOf(const std::string& text);

}  // namespace confab::ctl
