// The PROXY protocol, versions 1 and 2.
// Covers: edge/auth/proxy_header.cc
#include <algorithm>

#include "edge/auth/proxy_header.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using Reader = confab::edge::ProxyHeaderReader;

// The state at the end, and how much was taken, when it comes in pieces of so many bytes.
std::pair<Reader::State, std::size_t> Read(Reader& reader, std::string_view text, std::size_t n) {
  Reader::State state = Reader::State::kMore;
  std::size_t taken = 0;
  while (state == Reader::State::kMore && taken < text.size()) {
    const std::size_t piece = std::min({n, reader.wanted(), text.size() - taken});
    confab::fuzz::Require(piece > 0, "as long as there is more, some is wanted");
    state = reader.Take(text.substr(taken, piece));
    taken += piece;
  }
  return {state, taken};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using confab::fuzz::Require;
  const std::string_view text = confab::fuzz::View(bytes, size);
  Reader whole;
  Reader single;
  const auto [state, taken] = Read(whole, text, text.size());
  const auto [state_of_single, taken_of_single] = Read(single, text, 1);
  Require(state == state_of_single, "pieces do not matter");
  Require(state != Reader::State::kDone || taken == taken_of_single, "nor where it ends");
  Require(whole.client() == single.client(), "nor who the client is");
  Require(taken <= Reader::kVersion2Limit, "a header has an end");
  return 0;
}
