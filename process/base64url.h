// base64url.h: RFC 4648 section 5 without padding, strict: one text for one value.
// Threads: immutable.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace confab::process {

std::string EncodeBase64Url(std::string_view bytes);

// Nothing for padding, blanks, other letters, an impossible length or leftover bits that are not 0.
std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace confab::process
