// What a batch costs before a database sees it.
#include <cstdint>
#include <string>

#include "storage/postgres/text_array.h"
#include "tests/bench/control_benches.h"

namespace confab::control {

namespace {

using benchmark::DoNotOptimize;
using benchmark::State;
using storage::TextArray;

constexpr int kTexts = 64;
// As clients write them; 200 bytes each.
const std::string kPlain(200, 'x');
std::string Json() {
  std::string text = "{";
  for (int i = 0; text.size() < 190; ++i) text += "\"name" + std::to_string(i) + "\":\"value\",";
  text.resize(199, 'x');
  return text + "}";
}

void BuildArray(State& state, const std::string& text) {
  for (auto _ : state) {
    TextArray array(kTexts * (text.size() + TextArray::kWordBytes));
    for (int i = 0; i < kTexts; ++i) array.Add(text);
    DoNotOptimize(array.Finish().size());
  }
}

}  // namespace

void AddBatchBenches(tests::BenchList& list) {
  constexpr std::int64_t kCounted = 20;
  list.Add({"batch/array/plain", "text", kTexts, kCounted,
            [](State& state) { BuildArray(state, kPlain); }});
  list.Add({"batch/array/json", "text", kTexts, kCounted,
            [](State& state) { BuildArray(state, Json()); }});
}

}  // namespace confab::control
