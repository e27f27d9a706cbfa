/** What the builder makes of files that are no scripts. */
declare module "*.css";
