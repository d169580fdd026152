export type * as Wire from './wire/generated/api.js';
export { ConfigurationError, type LocatedIssue } from './configuration/configuration-error.js';
export { editorSchema } from './configuration/editor-schema.js';
export { resolveEnvSentinels, unresolvedEnv } from './configuration/env-sentinels.js';
export type { EnvMap, EnvSentinel } from './configuration/fields/env.js';
export { type ClientValues, interpolateRunConfiguration } from './configuration/interpolate-configuration.js';
export {
  type Interpolated,
  type Interpolation,
  type Reference,
  findReferences,
  interpolate,
} from './configuration/interpolation.js';
export {
  type ConfigurationIssue,
  type IssuePath,
  formatIssue,
  formatPath,
  semanticIssue,
} from './configuration/issue.js';
export {
  type ParsedText,
  type TextSource,
  parseConfigurationText,
  parseConfigurationValue,
} from './configuration/parse-configuration.js';
export type { Parsed } from './configuration/parsed.js';
export type { PresetConfiguration } from './configuration/preset.js';
export { parseFleetSpecValue, parseProfileValue, parseRunSpecValue } from './configuration/run-spec.js';
export { closestName } from './configuration/schema/closest-name.js';
export {
  parseDuration,
  parseEntityReference,
  parseFileMapping,
  parseMountPoint,
  parsePort,
  parseRepoSpec,
} from './configuration/single-values.js';
export {
  type Configuration,
  type ConfigurationType,
  type RunConfiguration,
  type RunType,
  configurationTypes,
  runTypes,
} from './configuration/validate.js';
export type { VolumeConfiguration } from './configuration/volume.js';
export type { Position } from './configuration/yaml-document.js';
export { type RunAsk, combineFleetAndRun, combineIdleSeconds } from './fleets/combine-fleet-and-run.js';
export { combineResources } from './fleets/combine-resources.js';
export type { Combined } from './fleets/combined.js';
export { DEFAULT_FLEET, defaultFleetSpec, needsDefaultFleet } from './fleets/default-fleet.js';
export { isCluster, isSshFleet, keepsNodesTogether } from './fleets/fleet-facts.js';
export { fleetReference, foreignFleets, namedFleets, referenceOf } from './fleets/fleet-references.js';
export { type FleetPeer, fleetSurplus } from './fleets/fleet-surplus.js';
export { FLEET_PARAMETERS, UNCONSTRAINED_RESOURCES, effectiveFleetParameters } from './fleets/fleet-parameters.js';
export { type ClusterMember, type ClusterPlace, type ClusterRole, clusterRole } from './fleets/follow-lead.js';
export { type FleetMachine, fitsFleet, fleetAsk } from './fleets/fits-fleet.js';
export { type FoundHost, type HostOffer, hostOffer } from './fleets/host-offer.js';
export { idleLimitMs } from './fleets/idle-limit.js';
export { type HostChanges, type HostFact, planHostChanges } from './fleets/plan-host-changes.js';
export { type SshHop, type SshHost, type SshHosts, sshHosts, withoutPrivateKeys } from './fleets/ssh-hosts.js';
export { type FleetUpdateCheck, checkFleetUpdate } from './fleets/update-fleet.js';
export { acceleratorEnvironment, acceleratorJobEnvironment, devicesToLock } from './jobs/accelerator-access.js';
export {
  type HostRuntimes,
  type Runtime,
  type RuntimeChoice,
  type RuntimeFacts,
  type RuntimePreference,
  chooseRuntime,
  containerOnly,
  defaultRuntimePreference,
  runtimeFacts,
  runtimeFactsOfJob,
} from './jobs/choose-runtime.js';
export { planWarnings } from './jobs/plan-warnings.js';
export { unlikeContainers } from './jobs/unlike-containers.js';
export { jobConnectionInfo, sshName, type SshProxy } from './jobs/connection-info.js';
export { type FinishedCommands, finishCommands, type NodeAddress } from './jobs/finish-commands.js';
export { type GroupReference, findGroupReferences } from './jobs/group-references.js';
export {
  IMAGE_DEFAULTS,
  type ImageChoice,
  type ImageConfig,
  type ImageDefaults,
  type ImageKind,
  efaImageName,
  imageKind,
  imageName,
} from './jobs/image.js';
export {
  type NodeGroup,
  type ReplicaGroup,
  type RunGroup,
  nodeGroups,
  nodesRequired,
  replicaGroups,
  runGroups,
} from './jobs/job-groups.js';
export { type JobSpecOptions, buildJobSpecs } from './jobs/job-specs.js';
export { type JobNetworks, type NetworkFacts, networkModeOf } from './jobs/network-mode.js';
export { shellScript } from './jobs/shell-script.js';
export { splitShellWords } from './jobs/shell.js';
export { parseUnixUser } from './jobs/unix-user.js';
export {
  type FleetDecision,
  type FleetEffect,
  type FleetInstance,
  type FleetSnapshot,
  decideFleet,
} from './lifecycle/decide-fleet.js';
export { type InstanceDecision, decideInstance } from './lifecycle/decide-instance.js';
export { type JobDecision, decideJob } from './lifecycle/decide-job.js';
export { powerOffAfterMs } from './lifecycle/power-off-after.js';
export {
  arrivalMs,
  type CloudManners,
  type CreateFailure,
  isDefiniteFailure,
  isRefusal,
  isGoneForGood,
  mayHaveMadeMore,
  mayStillArrive,
  mustLookFirst,
} from './lifecycle/create-call.js';
export { releaseOf, type VolumeUser } from './lifecycle/release-of.js';
export { staysVisible } from './lifecycle/stays-visible.js';
export { terminateAgain } from './lifecycle/terminate-again.js';
export { whyUnwanted, whyUnwantedBeforeLaunch } from './lifecycle/why-unwanted.js';
export { drainLimitMs } from './lifecycle/drain.js';
export { detachAgainAt, isDetached } from './lifecycle/decide-attachment.js';
export { isFinalFailure, type Trouble, troubleAfter } from './lifecycle/trouble.js';
export { type AttemptNews, goOn } from './lifecycle/go-on.js';
export { describeChanges } from './events/describe-changes.js';
export { failedToStart } from './lifecycle/failed-to-start.js';
export { SERVER_BEAT_MS, type WatchedLife, watchLives } from './lifecycle/quiet-lives.js';
export { type RunDecision, decideRun } from './lifecycle/decide-run.js';
export { type VolumeDecision, decideVolume } from './lifecycle/decide-volume.js';
export { type KnownVolume, type ListedVolumeFact, findOrphanVolumes } from './lifecycle/find-orphan-volumes.js';
export type {
  AttachmentFact,
  ReleaseFact,
  VolumeChanges,
  VolumeEffect,
  VolumeSnapshot,
} from './lifecycle/volume-snapshot.js';
export { type Decision, type Instant, undecided } from './lifecycle/decision.js';
export { type FailedPlace, type LaunchPlace, gpusOf, nextPlace } from './placement/next-place.js';
export { whyNotCreated } from './placement/why-not-created.js';
export { type LifeSign, whyQuarantined } from './lifecycle/decide-quarantine.js';
export { findOrphans, type KnownAttempt, type ListedFact, type Orphan } from './lifecycle/find-orphans.js';
export type {
  BareHost,
  HostProblemFact,
  InstanceChanges,
  InstanceEffect,
  FleetSurplus,
  InstanceSnapshot,
  UnlaunchedInstance,
  OpenAttempt,
  Tenure,
} from './lifecycle/instance-snapshot.js';
export type {
  AgentJob,
  AgentPhase,
  FailedStart,
  JobChanges,
  JobEffect,
  JobHost,
  JobSnapshot,
  OwedLog,
  StopMode,
} from './lifecycle/job-snapshot.js';
export { LIMITS, doublingDelayMs } from './lifecycle/limits.js';
export type { RunChanges, RunEffect, RunJob, RunSnapshot } from './lifecycle/run-snapshot.js';
export { type MachineTotals, type MetricsPoint, deriveJobMetrics } from './metrics/job-metrics.js';
export { balancerName, cloudName, instanceName, jobName, lowestFreeNumber } from './names/derived-names.js';
export { type Random, generatedName, generatedRunName, generatedUniqueName } from './names/generated-name.js';
export {
  GROUP_NAME_PATTERN,
  PROJECT_NAME_PATTERN,
  RESOURCE_NAME_PATTERN,
  SECRET_NAME_PATTERN,
  isResourceName,
  resourceNameProblem,
} from './names/name-rules.js';
export { kindOfOffer, type MachineKind } from './offers/machine-kind.js';
export { type BackendFeature, backendHas, backendsWith, requiredFeatures } from './offers/backend-features.js';
export { bestOffers } from './offers/best-offers.js';
export { type BlockDivision, divideIntoBlocks, divisibleOffers, shareName, shareOfResources } from './offers/blocks.js';
export { normaliseGpuName, snapGpuMemoryGb } from './offers/gpu-name.js';
export { unknownGpus } from './offers/unknown-gpus.js';
export { type GpuGroupBy, groupByProblem, groupFittingByGpu, groupRowsByGpu } from './offers/group-offers.js';
export { type InstanceOffer, type PoolInstance, offerOfInstance } from './offers/instance-offer.js';
export {
  acceleratorNames,
  KNOWN_ACCELERATORS,
  type KnownAccelerator,
  isSingleHostTpu,
  isTpuName,
  knownAccelerator,
} from './offers/known-accelerators.js';
export type { OfferPlace } from './offers/judge-place.js';
export { dueClouds } from './offers/due-clouds.js';
export { type Answer, judgeAnswer } from './offers/judge-answer.js';
export type { OfferType } from './offers/judge-type.js';
export { type OfferMatch, matchOffer } from './offers/match-offer.js';
export { resourceRejections } from './offers/match-resources.js';
export { NO_FILTERS, type OfferFilters, type VolumeLocation, filtersOfProfile } from './offers/offer-filters.js';
export { AVAILABILITIES, type OfferTable, tabulateOffers } from './offers/offer-table.js';
export { type IntRange, type Offer, type OfferPriceOrigin, isUsable, toWireOffer } from './offers/offer.js';
export { type OfferList, mergeOffers, usableFirst, withoutDuplicates } from './offers/order-offers.js';
export { type PlannedOffers, planOffers } from './offers/plan-offers.js';
export { type FittingOffers, queryOffers } from './offers/query-offers.js';
export { intersectRanges } from './offers/range.js';
export {
  type RejectionCode,
  type RejectionReason,
  type RejectionSummary,
  mergeRejections,
  summariseRejections,
} from './offers/rejection.js';
export { requirementsOf, spotRequirement } from './offers/requirements.js';
export type { Explanation, Obstacle, ObstacleKind, PendingBecause, Relief } from './placement/explanation.js';
export { explanationLines } from './placement/explanation-lines.js';
export { type FreeCapacity, type WaitingRun, chooseResumptions } from './placement/choose-resumptions.js';
export { DEFAULT_FLEET_IS_GOING } from './placement/default-fleet-wait.js';
export { waitsForVolumes } from './placement/volume-wait.js';
export { type PendingFacts, pendingReasons } from './placement/pending-reasons.js';
export type { Place } from './placement/place.js';
export { type Verdict, placeGroups } from './placement/place-groups.js';
export { waitsForReturn } from './placement/waits-for-return.js';
export type {
  AbsentInstance,
  Holder,
  PlacementAsk,
  PlacementCandidate,
  PlacementFleet,
  PlacementGroup,
  PlacementInput,
  PlacementInstance,
  PlacementJob,
  Seat,
} from './placement/placement-input.js';
export { type AbsentFacts, whyAbsent } from './placement/why-absent.js';
export { mergeFleetProfile, mergeProfile } from './profiles/merge-profile.js';
export { type ProfilesFile, parseProfilesText } from './profiles/parse-profiles.js';
export { type ProfileChoice, defaultProfile, emptyProfile, selectProfile } from './profiles/select-profile.js';
export { type ResourceField, parseResourceValue } from './resources/parse-resource-value.js';
export {
  prettyGpuSpec,
  prettyInstanceGpus,
  prettyInstanceResources,
  prettyResourcesSpec,
} from './resources/pretty-resources.js';
export { type Range, prettyRange } from './resources/range.js';
export { defaultResources } from './resources/resources-schema.js';
export { type HeldMachine, type PricedInterval, costUsd, heldInterval, within } from './runs/cost.js';
export { type Cron, CronError, nextCronFire, nextScheduledAt, parseCron } from './runs/cron.js';
export {
  type ApplyDecision,
  type ApplyRequest,
  type PlannedAction,
  decideApply,
  planAction,
} from './runs/decide-apply.js';
export { decideStop, type StoppedRun } from './runs/decide-stop.js';
export { isUpToDate } from './runs/is-up-to-date.js';
export { type FieldChange, diffValues, formatChange, isSame } from './runs/diff.js';
export {
  DEFAULT_FLEET_IDLE_SECONDS,
  DEFAULT_RUN_IDLE_SECONDS,
  DEFAULT_STOP_DURATION_SECONDS,
  PROFILE_FIELDS,
  effectiveProfile,
  retryOf,
  secondsOrOff,
} from './runs/effective-profile.js';
export { type NormaliseOptions, normaliseRunSpec } from './runs/normalise-run-spec.js';
export { type EndedJob, type RetryVerdict, evaluateRetry, resubmissionDelayMs } from './runs/retry.js';
export { RunSpecError, type RunSpecIssue, isRunSpecError } from './runs/run-spec-error.js';
export { RUN_SPEC_LIMITS, type RunSpecLimits, runSpecIssues } from './runs/run-spec-rules.js';
export {
  type JobStatusFacts,
  NO_FLEET_MESSAGE,
  type RunStatusFacts,
  jobError,
  jobStatusMessage,
  runError,
  runStatusMessage,
} from './runs/status-message.js';
export { type UpdateCheck, type UpdateEffect, checkRunUpdate } from './runs/update-run.js';
export {
  JOB_ENDINGS,
  type JobEnding,
  RUN_ENDINGS,
  type RunEnding,
  isFinishedJob,
  isFinishedRun,
} from './wire/endings.js';
export {
  ACCELERATOR_VENDORS,
  APPLY_ACTIONS,
  BACKEND_TYPES,
  COMPUTE_GROUP_STATUSES,
  CPU_ARCHITECTURES,
  CREATION_POLICIES,
  type ComputeGroupStatus,
  EVENT_TARGET_TYPES,
  FLEET_STATUSES,
  GATEWAY_REPLICA_STATUSES,
  GATEWAY_STATUSES,
  GLOBAL_ROLES,
  HEALTH_STATUSES,
  INSTANCE_AVAILABILITIES,
  INSTANCE_GROUP_PLACEMENTS,
  INSTANCE_RUNTIMES,
  INSTANCE_STATUSES,
  INSTANCE_TERMINATION_REASONS,
  type InstanceTerminationReason,
  JOB_STATUSES,
  JOB_TERMINATION_REASONS,
  type JobTerminationReason,
  LOG_PRODUCERS,
  type LogProducer,
  NETWORK_MODES,
  PROJECT_ROLES,
  PYTHON_VERSIONS,
  REPO_EXISTS_ACTIONS,
  REPO_TYPES,
  RETRY_EVENTS,
  ROUTER_TYPES,
  RUN_CONFIGURATION_TYPES,
  RUN_STATUSES,
  RUN_TERMINATION_REASONS,
  type RepoType,
  type RouterType,
  type RunConfigurationType,
  type RunTerminationReason,
  SERVER_CLIENT_ERROR_CODES,
  SPOT_POLICIES,
  STARTUP_ORDERS,
  STOP_CRITERIA,
  TERMINATION_POLICIES,
  type TerminationPolicy,
  VASTAI_OFFER_ORDERS,
  VOLUME_STATUSES,
} from './wire/enums.js';
export {
  type InternalBackendType,
  type InternalInstanceStatus,
  type InternalVolumeStatus,
  displayBackend,
  toWireBackend,
  toWireInstanceStatus,
  toWireVolumeStatus,
} from './wire/internal-values.js';
export type { NewToken, TokenInfo } from './wire/tokens.js';
export { isUnderUtilised, type UtilisationPolicy, type UtilisationSample } from './lifecycle/utilisation.js';
export {
  isQuiet,
  NO_TRAFFIC,
  type ServiceTraffic,
  sumTraffic,
  TRAFFIC_TTL_MS,
  type TrafficReport,
  type TrafficWindow,
} from './services/traffic.js';
export { mountProblems, placeOfMountProblem } from './volumes/mount-problem.js';
export { type NetworkMount, mountsVolumes, networkMounts, runMounts } from './volumes/network-mounts.js';
export { type VolumeAvailability, availabilityOf, placesOf, volumesAt } from './volumes/seat-volumes.js';
export { volumeCostUsd } from './volumes/volume-cost.js';
export { type VolumeFact, type VolumeHolder, type VolumesByName, isAttachable } from './volumes/volume-fact.js';
export { type GroupScale, type Scaling, type ServiceGroup } from './services/decide-scale.js';
export {
  afterProbe,
  getsRequests,
  goesOn,
  isReplicaReady,
  isWorthTelling,
  probePauseMs,
  type ProbeState,
  type ReadinessRule,
  UNPROBED,
} from './services/readiness.js';
export { GRPC_WORKER_APIS, type GrpcWorkerApi } from './services/grpc-worker.js';
export {
  type AllowedPath,
  isAskedFromOutside,
  isDynamoRouter,
  isDynamoWorker,
  isRoutedWorker,
  isRouterPath,
  ROUTER_PATHS,
  routerGroup,
} from './services/router.js';
export {
  type ListedWorker,
  workerChanges,
  workerInfo,
  type WorkerInfo,
  type WorkerKind,
  workersOf,
} from './services/router-workers.js';
export { servicePath, serviceSpecWithoutGateway, whyNotServed, whyNotServedHere } from './services/service-spec.js';
export { type GatewayConfiguration, OWN_HOSTS_REGION } from './configuration/gateway.js';
export { type GatewayFact, type GatewayWish, gatewayWish, whyGatewayRefuses } from './gateways/choose-gateway.js';
export { type AttemptFailure, nextAttempt } from './gateways/next-attempt.js';
export { checkGatewayUpdate, keepUnsetOfGateway } from './gateways/update-gateway.js';
export { findOrphanBalancers, type OrphanBalancer } from './gateways/find-orphan-balancers.js';
export { gatewayDomain } from './gateways/gateway-domain.js';
export { type GatewayService, gatewayService } from './gateways/gateway-service.js';
export { type CertificateKind, type HttpsMode, httpsMode } from './gateways/https-mode.js';
export { type GatewayRefusal, type Replica, type Rollout, type ServiceFacts } from './lifecycle/service-snapshot.js';
export { type ReplicaToSubmit } from './lifecycle/run-snapshot.js';
export { completeProbe, type Probe } from './jobs/probe-specs.js';
export { failuresInARow, failuresOfDeployment } from './lifecycle/replica-history.js';
export { decideGateway, type GatewayDecision } from './lifecycle/decide-gateway.js';
export { decideGatewayReplica, type GatewayReplicaDecision } from './lifecycle/decide-gateway-replica.js';
export type {
  GatewayChanges,
  GatewayEffect,
  GatewayReplicaFact,
  GatewaySnapshot,
} from './lifecycle/gateway-snapshot.js';
export type {
  GatewayReplicaChanges,
  GatewayReplicaEffect,
  GatewayReplicaSnapshot,
} from './lifecycle/gateway-replica-snapshot.js';
export { aboutFleet, nothingCreated, unknownFleets } from './placement/about-fleets.js';
