/** Ten zones whose clocks jump in every way there is; tests and simulations go through them all. */
export const TEN_ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/St_Johns",
  "America/Sao_Paulo",
  "Asia/Kolkata",
  "Asia/Tehran",
  "Africa/Casablanca",
  "Australia/Lord_Howe",
  "Pacific/Chatham",
] as const;
