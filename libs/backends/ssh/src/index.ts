export {
  HostOnboardingError,
  type HostProblem,
  type OnboardedHost,
  type OnboardingStep,
  type OnboardRequest,
} from './host-onboarding.js';
