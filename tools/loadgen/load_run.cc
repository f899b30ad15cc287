#include "tools/loadgen/load_run.h"

#include <algorithm>
#include <random>
#include <sys/resource.h>

#include <absl/time/clock.h>
#include <fmt/format.h>

namespace confab::loadgen {
namespace {

using tcp = boost::asio::ip::tcp;

// Behind the last message: what is doubled comes within that.
constexpr absl::Duration kAftermath = absl::Milliseconds(200);
// Before a server's memory and CPU are read for the first time: what joining has caused is over.
constexpr absl::Duration kSettle = absl::Milliseconds(500);
// Tokens outlive any run.
constexpr absl::Duration kTokenTime = absl::Hours(24);
// Beside clients: rooms are made over some, and /proc is read.
constexpr rlim_t kOtherDescriptors = 64;

std::string NewName() {
  std::random_device random;
  return fmt::format("{:06x}", random() & 0xffffff);
}

// Outlives who asks: the system's look-up cannot be ended.
struct Lookup {
  explicit Lookup(boost::asio::io_context& io) : resolver(io) {}
  tcp::resolver resolver;
  tcp::resolver::results_type found;
  boost::system::error_code error;
  bool is_done = false;
};

// Of a name's addresses, IPv4 first: it is what an edge listens on unless it is told.
tcp::endpoint FirstOf(const tcp::resolver::results_type& found) {
  for (const auto& entry : found) {
    if (entry.endpoint().address().is_v4()) return entry.endpoint();
  }
  return found.begin()->endpoint();
}

// Asks for as many sockets as there may be.
Failure RaiseDescriptors(uint32_t clients) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (clients + kOtherDescriptors <= limit.rlim_max) return {};
  return {Exit::kUsage,
          fmt::format("{} connections need more file descriptors than the limit of {}; "
                      "raise it (ulimit -Hn, LimitNOFILE=) or ask for fewer",
                      clients, limit.rlim_max)};
}

}  // namespace

LoadRun::LoadRun(const Options& options, const Plan& plan, std::ostream* progress)
    : options_(options), progress_(progress), began_(NowNs()), phase_began_(began_) {
  outcome_.options = options;
  outcome_.plan = plan;
  outcome_.keys = NewName();
  outcome_.run = options.run.empty() ? outcome_.keys : options.run;
  outcome_.started_at = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone());
}

LoadRun::~LoadRun() = default;

absl::Duration LoadRun::SetupLeft() const {
  return options_.setup_time - absl::Nanoseconds(NowNs() - began_);
}

Failure LoadRun::Run() {
  loop_.SetTick([this] { OnTick(); });
  Failure failure = Prepare();
  if (!failure.happened() && !loop_.is_interrupted()) {
    switch (options_.scenario) {
      case Scenario::kIdle:
        failure = RunIdle();
        break;
      case Scenario::kHandshake:
        failure = RunHandshakes();
        break;
      case Scenario::kFanout:
      case Scenario::kPairs:
      case Scenario::kChat:
      case Scenario::kDurable:
        failure = RunTraffic();
        break;
    }
  }
  if (progress_ != nullptr) *progress_ << "\r\033[K" << std::flush;
  outcome_.is_interrupted = loop_.is_interrupted();
  return failure;
}

Failure LoadRun::Prepare() {
  const bool takes_turns = options_.scenario == Scenario::kHandshake;
  const uint32_t at_once = takes_turns ? options_.concurrency : outcome_.plan.members();
  if (const Failure failure = RaiseDescriptors(at_once); failure.happened()) return failure;
  absl::StatusOr<ProcessWatch> watch = ProcessWatch::Open(options_.processes);
  if (!watch.ok()) return {Exit::kUsage, std::string(watch.status().message())};
  const absl::Time now = absl::Now();
  absl::StatusOr<TokenSource> tokens = TokenSource::Open(
      options_.tokens, outcome_.run, outcome_.plan.members(), now, now + kTokenTime);
  if (!tokens.ok()) return {Exit::kUsage, std::string(tokens.status().message())};
  tokens_ = std::make_unique<TokenSource>(*std::move(tokens));
  if (const Failure failure = LookUp(); failure.happened() || loop_.is_interrupted()) {
    return failure;
  }
  meter_ = std::make_unique<Meter>(outcome_, *std::move(watch));
  meter_->ReadAtStart();

  Show("makes rooms");
  const Place& first = places_.front();
  http_ = std::make_unique<HttpCaller>(
      loop_.io(), first.endpoint, sources_.empty() ? boost::asio::ip::address() : sources_.front(),
      first.target.host_header);
  rooms_ = std::make_unique<RoomBuilder>(RoomBuilder::Home{.loop = loop_,
                                                           .http = *http_,
                                                           .plan = outcome_.plan,
                                                           .tokens = *tokens_,
                                                           .run = outcome_.run,
                                                           .where = first.target.Show()});
  const Failure failure = rooms_->Build(SetupLeft());
  if (failure.happened() || loop_.is_interrupted()) return failure;
  crowd_ = std::make_unique<Crowd>(Crowd::Home{.loop = loop_,
                                               .plan = outcome_.plan,
                                               .tokens = *tokens_,
                                               .run = outcome_.run,
                                               .places = places_,
                                               .sources = sources_});
  return {};
}

Failure LoadRun::LookUp() {
  for (const std::string& source : options_.sources) {
    boost::system::error_code error;
    sources_.push_back(boost::asio::ip::make_address(source, error));
    if (error)
      return {Exit::kUsage, fmt::format("--source {}: give an address of this host", source)};
  }
  for (const std::string& url : options_.urls) {
    absl::StatusOr<Target> target = ParseTarget(url);
    if (!target.ok()) return {Exit::kUsage, std::string(target.status().message())};
    const auto lookup = std::make_shared<Lookup>(loop_.io());
    lookup->resolver.async_resolve(
        target->host, std::to_string(target->port),
        [lookup](const boost::system::error_code& error, const tcp::resolver::results_type& found) {
          lookup->error = error;
          lookup->found = found;
          lookup->is_done = true;
        });
    const bool is_done = loop_.RunUntil([&] { return lookup->is_done; }, SetupLeft());
    if (loop_.is_interrupted()) return {};
    if (!is_done || lookup->error || lookup->found.empty()) {
      return {Exit::kUnreachable,
              fmt::format("{}: there is no host {}: {}", url, target->host,
                          is_done ? lookup->error.message() : "no answer in time")};
    }
    places_.push_back({*std::move(target), FirstOf(lookup->found)});
  }
  return {};
}

template <typename Scene>
void LoadRun::WarmUpAndMeasure(Scene& scene) {
  Show("warms up");
  scene.Begin();
  const auto is_hopeless = [&scene] { return scene.is_hopeless(); };
  loop_.RunUntil(is_hopeless, options_.warm_up);
  Show("measures");
  scene.Measure();
  meter_->Begin(NowNs());
  loop_.RunUntil(is_hopeless, options_.duration);
  scene.End();
  Show("waits for the rest");
  // Also when it is interrupted: what was sent is to be answered before anybody judges it.
  const int64_t until = NowNs() + absl::ToInt64Nanoseconds(options_.answer_time);
  while (!scene.is_settled() && NowNs() < until) loop_.io().run_one_until(TimeOfNs(until));
  meter_->End(NowNs());
}

Failure LoadRun::RunTraffic() {
  traffic_ = std::make_unique<Traffic>(loop_, *crowd_, outcome_);
  crowd_->SetListener(traffic_.get());
  Show("opens connections");
  const Failure failure = crowd_->OpenAll(options_.concurrency, SetupLeft());
  if (failure.happened() || loop_.is_interrupted()) return failure;
  outcome_.connections = crowd_->ready();
  loop_.RunFor(kSettle);
  WarmUpAndMeasure(*traffic_);
  if (!loop_.is_interrupted()) loop_.RunFor(kAftermath);
  outcome_.faults = traffic_->checker().Finish();
  return {};
}

Failure LoadRun::RunIdle() {
  traffic_ = std::make_unique<Traffic>(loop_, *crowd_, outcome_);
  crowd_->SetListener(traffic_.get());
  Show("opens connections");
  const Failure failure = crowd_->OpenAll(options_.concurrency, SetupLeft());
  if (failure.happened() || loop_.is_interrupted()) return failure;
  outcome_.connections = crowd_->ready();
  loop_.RunFor(std::max(kSettle, options_.warm_up));
  Show("holds connections");
  meter_->Begin(NowNs());
  loop_.RunFor(options_.duration);
  meter_->End(NowNs());
  outcome_.faults = traffic_->checker().Finish();
  return {};
}

Failure LoadRun::RunHandshakes() {
  handshakes_ = std::make_unique<HandshakeRun>(loop_, *crowd_, outcome_);
  crowd_->SetListener(handshakes_.get());
  WarmUpAndMeasure(*handshakes_);
  outcome_.connections = options_.concurrency;
  return handshakes_->is_hopeless() ? handshakes_->first_failure() : Failure{};
}

void LoadRun::Show(const char* what) {
  phase_ = what;
  phase_began_ = NowNs();
  OnTick();
}

void LoadRun::OnTick() {
  const int64_t now = NowNs();
  if (traffic_ != nullptr) traffic_->OnTick();
  if (handshakes_ != nullptr) handshakes_->OnTick();
  if (meter_ != nullptr) meter_->OnTick(now);
  if (progress_ == nullptr) return;
  const double elapsed_s = static_cast<double>(now - phase_began_) / 1e9;
  const Faults faults = traffic_ == nullptr ? Faults() : traffic_->checker().faults();
  *progress_ << "\r\033[K" << ProgressLine(outcome_, phase_, elapsed_s, faults) << std::flush;
}

}  // namespace confab::loadgen
