/**
 * How large the body of a request may be, how many large ones are under way at once, and the room that they may take.
 * Every limit on an upload's way (ingress, router, Synapse, its volumes) is derived here, so that they agree. Pure.
 *
 * Nothing before Synapse writes a body to a disk: the ingress controllers and the router pass it on as it comes.
 * Synapse writes it to a file in /tmp before it knows who sends it, so the router bounds how many such files there
 * can be.
 */
import type { Settings } from "../settings/types";

const MIB = 1024 ** 2;

/**
 * Largest body of any request but an upload: Synapse's own limit (MAX_REQUEST_SIZE in synapse/api/constants.py, 200
 * events of 64 KiB), made for the largest transaction of another server, 50 PDUs and 100 EDUs. Everything that Synapse
 * takes passes: a backup of room keys can have megabytes.
 */
export const API_BODY_BYTES = 200 * 65_536;
/**
 * Bodies from this size on, and those of unknown size, are written to a file (twisted/web/http.py, _getContentFile).
 */
export const FILED_BYTES = 100_000;
/** Bodies up to this size fit with their headers into HAProxy's buffer (16 KiB): it waits for them as a whole. */
export const WHOLE_BYTES = 8_192;
/**
 * Bodies that are longer than that, from one address through one router. A client sends one or two at a time; an office
 * behind one address a few.
 */
export const LONG_BODIES_PER_ADDRESS = 16;
/** Bodies in files, other than uploads, in one process at once: the large transactions and key backups. */
const FILED_BODIES = 128;
/** Largest body of hosts without media: tokens and signalling of calls, pages. nginx's own default. */
export const OTHER_HOSTS_MIB = 1;

/** Most uploads in one media process at once; more wait in the router. */
const MOST_UPLOADS = 64;
/** Share of the cache that uploads may fill before it is trimmed; their files in /tmp may take as much. */
const UPLOADS_SHARE = 0.5;
/** A router that is being replaced still carries what it has, beside the new one. */
const ROUTER_GENERATIONS = 2;
/** Small files in /tmp beside the bodies, MiB. */
const REST_MIB = 64;

/** Routers as far as they bound what arrives at once. */
interface Routers {
  replicas: number;
}
/**
 * Routers that may send to a process at once, in steps: the plans have two to four, and one more must neither restart
 * the others for a new share nor Synapse for a larger volume.
 */
const senders = ({ replicas }: Routers): number =>
  ROUTER_GENERATIONS * 2 ** Math.ceil(Math.log2(Math.max(4, replicas)));

/** The limits of a deployment. */
export interface BodyLimits {
  /** Largest upload, bytes; Synapse's `max_upload_size`. */
  uploadBytes: number;
  /**
   * Content-Length above which the router refuses an upload. Synapse itself refuses those that are a little too large.
   */
  routerUploadBytes: number;
  /** Largest body at the ingress for hosts with media, MiB: above the router's, whose error clients understand. */
  ingressMiB: number;
  /** Other bodies that become files at once through one router to one class. */
  filedAtOnce: number;
  /** Uploads at once through one router to one media process. */
  uploadsAtOnce: number;
  /** Size of /tmp of a process that takes requests but no uploads, MiB. */
  filesMiB: number;
  /** Size of /tmp of a media process, MiB. */
  uploadFilesMiB: number;
  /** Size of a media process's cache with what may arrive before it is trimmed, MiB. */
  cacheMiB: number;
}

/** Uploads that one media process has room for; the number of routers does not change its volumes. */
const uploadsThatFit = ({ media }: Settings): number =>
  Math.min(MOST_UPLOADS, Math.floor((media.cacheGiB * 1024 * UPLOADS_SHARE) / media.maxUploadMiB));

/** Smallest `media.cacheGiB` that goes with the largest upload: one from each router. */
export const leastCacheGiB = ({ media }: Settings, routers: Routers): number =>
  Math.ceil((senders(routers) * media.maxUploadMiB) / UPLOADS_SHARE / 1024);

/** All limits of a deployment. @param routers The plan's routers */
export function bodyLimits(settings: Settings, routers: Routers): BodyLimits {
  const { maxUploadMiB, cacheGiB } = settings.media;
  const filesMiB = Math.ceil((FILED_BODIES * API_BODY_BYTES) / MIB) + REST_MIB;
  const routerUploadBytes = (maxUploadMiB + 1) * MIB;
  return {
    uploadBytes: maxUploadMiB * MIB,
    routerUploadBytes,
    ingressMiB: Math.ceil(Math.max(routerUploadBytes, API_BODY_BYTES) / MIB) + 1,
    filedAtOnce: Math.max(1, Math.floor(FILED_BODIES / senders(routers))),
    uploadsAtOnce: Math.max(1, Math.floor(uploadsThatFit(settings) / senders(routers))),
    filesMiB,
    // What is no upload goes to the media processes too.
    uploadFilesMiB: filesMiB + Math.ceil((uploadsThatFit(settings) * routerUploadBytes) / MIB),
    cacheMiB: cacheGiB * 1024 * (1 + UPLOADS_SHARE),
  };
}
